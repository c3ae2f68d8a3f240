// The editor of the exercise pages: CodeMirror with Python, in the colors of the page. Bundled into one file by playground.py.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightSpecialChars, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The colors follow the page's theme, for that sets `color-scheme`.
const colors = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword], color: "light-dark(#7928a1, #dcc6e0)" },
  { tag: [tags.string, tags.special(tags.string)], color: "light-dark(#006d2c, #abe338)" },
  { tag: [tags.number, tags.bool, tags.null, tags.self], color: "light-dark(#8a4600, #f5ab35)" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], color: "light-dark(#0b62a4, #6cb4f0)" },
  { tag: tags.comment, color: "light-dark(#545c66, #a7aeb7)" },
]);
const selection = "light-dark(#cfe3f5, #27435c)";

const look = EditorView.theme({
  "&": { color: "inherit", backgroundColor: "transparent", fontFamily: "var(--pst-font-family-monospace)", fontSize: ".8125rem", lineHeight: "1.6", minHeight: "6rem", padding: ".8rem 1rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "inherit", lineHeight: "inherit", overflowX: "auto" },
  ".cm-content": { padding: "0", caretColor: "var(--pst-color-text-base)" },
  ".cm-line": { padding: "0" },
  ".cm-cursor": { borderLeftColor: "var(--pst-color-text-base)", borderLeftWidth: "2px" },
  "& .cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: selection },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: selection, outline: "1px solid var(--mlc-line)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", textDecoration: "underline" },
});

// Tab indents, unless Escape was pressed just before: then it leaves the editor, as without one.
const leaving = { asked: false };
const keys = [
  { key: "Escape", run: () => ((leaving.asked = true), false) },
  { key: "Tab", run: (view) => !leaving.asked && indentMore(view), shift: (view) => !leaving.asked && indentLess(view) },
];
const stays = EditorView.domEventHandlers({
  keydown: (event) => {
    if (!["Escape", "Tab", "Shift"].includes(event.key)) leaving.asked = false;
  },
  focus: () => {
    leaving.asked = false;
  },
});

// Puts an editor into `parent`; returns how to read, replace and focus it.
export function edit(parent, { text, label, description, onChange, actions }) {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        stays,
        keymap.of([...actions, ...keys, ...closeBracketsKeymap, ...historyKeymap, ...defaultKeymap]),
        history(),
        highlightSpecialChars(),
        drawSelection(),
        indentUnit.of("    "),
        EditorState.tabSize.of(4),
        python(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        syntaxHighlighting(colors),
        look,
        EditorView.contentAttributes.of({ "aria-label": label, "aria-describedby": description }),
        EditorView.updateListener.of((update) => update.docChanged && onChange(update.state.doc.toString())),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    set text(value) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
    },
    focus(point) {
      const place = point && view.posAtCoords(point, false);
      if (place != null) view.dispatch({ selection: { anchor: place } });
      view.focus();
    },
  };
}
