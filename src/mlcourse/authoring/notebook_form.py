"""MyST Markdown as plain Markdown, for Jupyter, Colab and GitHub, which do not know directives and roles."""

from __future__ import annotations

import re

from sphinx.util.nodes import _make_id

from mlcourse.authoring.cards import exercise_list
from mlcourse.authoring.citations import Citations
from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.labels import Labels
from mlcourse.authoring.myst import Text, parse_blocks

_TOKEN = re.compile(
    r"(?P<fence>^(?P<mark>`{3,}|~{3,}).*?^(?P=mark)[ ]*$)"
    r"|\{(?P<role>[a-z:]+)\}`(?P<body>[^`]+)`"
    r"|(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|\[\^(?P<note>[\w-]+)\]",
    re.MULTILINE | re.DOTALL,
)
_TITLED = re.compile(r"^(?P<text>.*?)\s*<(?P<target>[^<>]+)>$", re.DOTALL)
_NOTE = re.compile(r"^\[\^(?P<key>[\w-]+)\]:[ ]*(?P<text>.*(?:\n[ ]{2,}.+)*)\n?", re.MULTILINE)
_ADMONITIONS = ("note", "tip", "warning", "important", "caution", "seealso")
_WORDS = {
    "seealso": "See also",
    "prf:theorem": "Theorem",
    "prf:lemma": "Lemma",
    "prf:definition": "Definition",
    "prf:algorithm": "Algorithm",
}


class NotebookForm:
    """Turns the text cells of chapters into plain Markdown.

    Parameters
    ----------
    course : Course
    """

    def __init__(self, course):
        self._course = course
        self._labels = Labels(course)
        self._citations = Citations(course.root / "book/references.bib")
        self._terms = glossary_terms(course.root / "book/glossary.md")

    def chapter_text(self, cell, path, notes):
        """Return one text cell as plain Markdown.

        Parameters
        ----------
        cell : Cell
        path : Path
            Its file, for errors.
        notes : dict
            The chapter's footnotes by key; those that the cell defines are added, with their text.

        Raises
        ------
        SourceError
            If a directive or a role has no notebook form.
        """
        text = self._blocks(cell.source.split("\n"), cell.line, path, notes)
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def figure_text(self, cell, path):
        """Return the caption and the description of the figure that a code cell draws, or an empty string."""
        options = cell.metadata.get("mystnb", {})
        if "figure" not in options:
            return ""
        caption = self.inline(" ".join(options["figure"].get("caption", "").split()), cell.line, path, {})
        label = self._labels.get(options["figure"].get("name"))
        number = f"**Fig. {label.text}.** " if label else "**Figure.** "
        alt = " ".join(options.get("image", {}).get("alt", "").split())
        return f"{number}{caption}\n\n{_details('What the figure shows', alt)}"

    def _blocks(self, lines, line, path, notes):
        parts = []
        for block in parse_blocks(lines, line, path):
            if isinstance(block, Text):
                parts.append(self._text("\n".join(block.lines), block.line, path, notes))
            else:
                parts.append(self._directive(block, path, notes))
        return "\n\n".join(part.strip("\n") for part in parts if part.strip())

    def _directive(self, block, path, notes):
        body = lambda: self._blocks(block.body, block.body_line, path, notes)  # noqa: E731
        title = self.inline(block.argument, block.line, path, notes)
        name = block.name
        if name in _ADMONITIONS:
            return _quote(f"**{_WORDS.get(name, name.capitalize())}.** {body()}")
        if name in ("admonition", "margin"):
            return _quote(f"**{title or 'Aside'}.** {body()}")
        if name in ("prf:theorem", "prf:lemma", "prf:definition", "prf:algorithm"):
            label = self._labels.get(block.options.get("label"))
            number = f" {label.text}" if label else ""
            extra = f" ({title})" if title else ""
            return _quote(f"**{_WORDS[name]}{number}**{extra}**.** {body()}")
        if name == "prf:proof":
            return _quote(f"**Proof.** {body()} ∎")
        if name == "dropdown":
            return _details(title, body())
        if name in ("tab-set", "div"):
            return body()
        if name == "tab-item":
            return f"**{title}**\n\n{body()}"
        if name == "math":
            return self._math(block)
        if name == "code-block":
            return "\n".join([f"```{block.argument}", *block.body, "```"])
        if name == "figure":
            return self._figure(block, body())
        if name == "think":
            return _quote(f"**Stop and think.** {title}\n\n{_details('Answer', body())}")
        if name == "explorable":
            return _details("In words", body())
        if name in ("quiz", "pretest"):
            raise SourceError(path, block.line, f"{{{name}}} stands inside another block", "put it outside")
        if name == "exercises":
            return exercise_list(self._course, path)
        raise SourceError(
            path,
            block.line,
            f"the directive {{{name}}} has no notebook form",
            "use one of those that book/contributing.md lists, or add its form to src/mlcourse/authoring/notebook_form.py",
        )

    def _math(self, block):
        label = self._labels.get(block.options.get("label"))
        tag = [rf"\tag{{{label.text}}}"] if label else []
        return "\n".join(["$$", *[line for line in block.body if line.strip()], *tag, "$$"])

    def _figure(self, block, caption):
        label = self._labels.get(block.options.get("name"))
        number = f"**Fig. {label.text}.** " if label else ""
        image = f"{self._course.site}/_images/{block.argument.rsplit('/', 1)[-1]}"
        return f"![{block.options.get('alt', '')}]({image})\n\n{number}{caption}"

    def _text(self, text, line, path, notes):
        def define(match):
            words = " ".join(match["text"].split())
            here = line + text[: match.start()].count("\n")
            notes.setdefault(match["key"], [len(notes) + 1, ""])[1] = self.inline(words, here, path, notes)
            return ""

        text = _NOTE.sub(define, text)
        text = re.sub(r"^\([\w:.-]+\)=[ ]*\n", "", text, flags=re.MULTILINE)
        text = re.sub(
            r"^\$\$[ ]*\(([\w:.-]+)\)[ ]*$",
            lambda m: rf"\tag{{{self._labels[m[1]].text}}}" + "\n$$",
            text,
            flags=re.MULTILINE,
        )
        return self.inline(text, line, path, notes)

    def inline(self, text, line, path, notes):
        """Replace roles and footnotes, outside code."""

        def replace(match):
            if match["role"]:
                return self._role(match["role"], match["body"], line + text[: match.start()].count("\n"), path)
            return _note_link(match["note"], notes) if match["note"] else match[0]

        return _TOKEN.sub(replace, text)

    def _role(self, role, body, line, path):
        body = " ".join(body.split())
        titled = _TITLED.match(body)
        text, target = (titled["text"], titled["target"]) if titled else (None, body)
        if role == "term":
            return self._term(text, target, line, path)
        if role in ("cite:p", "cite:t"):
            return self._cite(role, target, line, path)
        if role == "doc":
            return self._doc(text, target, line, path)
        if role in ("eq", "numref", "ref", "prf:ref"):
            if target not in self._labels:
                raise SourceError(
                    path, line, f"{{{role}}} refers to {target!r}, which does not exist", "mend the label"
                )
            return self._reference(text, self._labels[target])
        raise SourceError(
            path, line, f"the role {{{role}}} has no notebook form", "use one of those that book/contributing.md lists"
        )

    def _term(self, text, target, line, path):
        term = self._terms.get(target.lower())
        if term is None:
            raise SourceError(
                path, line, f"{target!r} is not in book/glossary.md", "add the term, or mend its spelling"
            )
        return f"[{text or target}]({self._course.page_url('book/glossary')}#{_make_id(f'term-{term}')})"

    def _reference(self, text, label):
        words = {"eq": f"({label.text})", "fig": f"Fig. {label.text}"}
        default = words.get(label.kind) or (
            f"{_WORDS[label.kind]} {label.text}" if label.kind in _WORDS else label.text
        )
        shown = text.replace("%s", label.text).replace("{number}", label.text) if text else default
        return f"[{shown}]({label.url})"

    def _doc(self, text, target, line, path):
        slug = target.removeprefix("/book/")
        if not (self._course.root / f"{target.lstrip('/')}.md").exists():
            raise SourceError(
                path, line, f"{{doc}} refers to {target!r}, which does not exist", "write it as /book/part/chapter"
            )
        title = (
            self._course.by_slug[slug].title if slug in self._course.by_slug else slug.replace("-", " ").capitalize()
        )
        return f"[{text or title}]({self._course.page_url(target.lstrip('/'))})"

    def _cite(self, role, keys, line, path):
        parts = []
        for key in (key.strip() for key in keys.split(",")):
            if key not in self._citations:
                raise SourceError(path, line, f"{key!r} is not in book/references.bib", "add the entry")
            names, year = self._citations.names(key), self._citations.year(key)
            parts.append(f"{names} ({year})" if role == "cite:t" else f"{names}, {year}")
        link = f"[{'; '.join(parts)}]({self._course.page_url('book/references')})"
        return link if role == "cite:t" else f"({link})"


def glossary_terms(path):
    """Return the terms of the glossary as they are spelled there, by their lower-case spelling."""
    text = path.read_text(encoding="utf-8")
    body = text[text.index("{glossary}") :].split("\n", 1)[1]
    terms = re.findall(r"^(\w[^\n]*)\n[ ]{2}", body, re.MULTILINE)
    return {term.lower(): term for term in terms}


def notes_text(notes):
    """Return the footnotes as the last text of the notebook, or an empty string."""
    ordered = sorted(notes.items(), key=lambda item: item[1][0])
    lines = [f'<a id="note-{key}"></a><sup>{number}</sup> {text}' for key, (number, text) in ordered]
    return "\n\n".join(["**Notes**", *lines]) if lines else ""


def _note_link(key, notes):
    number = notes.setdefault(key, [len(notes) + 1, ""])[0]
    return f"<sup>[{number}](#note-{key})</sup>"


def _quote(text):
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _details(summary, body):
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"
