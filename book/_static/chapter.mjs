// What a reader does on a chapter's page, kept by store.mjs: the answers to its questions, their score, and whether it was read.
import * as store from "./store.mjs";
import question from "./quizzes/quiz.mjs";

const changed = (run) => ["mlcourse-store", "storage"].forEach((event) => window.addEventListener(event, run));

// The model of anywidget, with the store behind it.
class Kept {
  constructor(name, before) {
    Object.assign(this, { name, before });
  }
  get(key) {
    return key === "entry" ? (this.unkept ?? store.get("quiz", this.name)) : this[key];
  }
  set(key, value) {
    this.next = value;
  }
  save_changes() {
    const kept = store.put("quiz", this.name, this.next);
    this.unkept = kept ? undefined : this.next; // no room in this browser: then as long as the page
    if (!kept) this.show();
  }
  on(event, show) {
    this.show = show;
    changed(show);
  }
  off() {}
}

function score(place) {
  const [words, again] = [place.querySelector("p"), place.querySelector("button")];
  const names = [...document.querySelectorAll(".quiz[data-quiz]:not(.before)")].map((node) => node.dataset.quiz);
  const right = (answers) => answers.filter((answer) => answer.right).length;
  const show = () => {
    const entries = names.map((name) => store.get("quiz", name) ?? {});
    const firsts = entries.flatMap(({ first }) => first ?? []);
    const twice = entries.filter(({ before, first }) => before && first);
    const done = firsts.length === names.length ? `${right(firsts)} of ${names.length} right` : `${firsts.length} of ${names.length} answered, ${right(firsts)} right`;
    const then = ` Before the chapter ${right(twice.map((entry) => entry.before))} of ${twice.length} right, now ${right(twice.map((entry) => entry.first))} of ${twice.length}.`;
    const said = firsts.length ? `${done} at the first try.${twice.length ? then : ""}` : `${names.length} questions; none is answered yet.`;
    if (words.textContent !== said) words.textContent = said;
    again.setAttribute("aria-disabled", !firsts.length);
  };
  again.addEventListener("click", () => {
    for (const name of names) {
      const { before } = store.get("quiz", name) ?? {};
      if (before) store.put("quiz", name, { before });
      else store.remove("quiz", name);
    }
  });
  changed(show);
  show();
}

function read(place) {
  const { chapter } = place.dataset;
  const [button, words] = [place.querySelector("button"), place.querySelector("[role=status]")];
  const show = () => {
    const entry = store.get("read", chapter);
    button.textContent = entry ? "Undo" : "Mark as read";
    words.textContent = entry ? `✓ Read on ${new Date(entry.at).toLocaleDateString("en", { dateStyle: "long" })}` : "";
  };
  button.addEventListener("click", () => (store.get("read", chapter) ? store.remove("read", chapter) : store.put("read", chapter, {})));
  changed(show);
  show();
}

for (const el of document.querySelectorAll(".quiz[data-quiz]")) {
  question.render({ model: new Kept(el.dataset.quiz, el.classList.contains("before")), el });
}
document.querySelectorAll(".quiz-score").forEach(score);
document.querySelectorAll(".chapter-read").forEach(read);
