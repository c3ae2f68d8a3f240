// An exercise page: an editor for each exercise, Run and Check, and what is kept of them. The editor and Python are loaded when they
// are first used.
import * as store from "../store.mjs";
import * as python from "./python.mjs";

const page = document.querySelector(".exercise-page");
let working = null; // the exercise whose code runs now
let editorModule;

const loadEditor = () => (editorModule ??= python.about().then((files) => import(files.editor)).catch((error) => {
  editorModule = undefined;
  throw error;
}));

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};
const megabytes = (bytes) => (bytes < 995_000 ? "less than 1" : Math.round(bytes / 1e6));
const number = (points) => String(Math.round(100 * points) / 100);
const lastLine = (text) => text.trim().split("\n").at(-1).slice(0, 300);
const sentence = (words) => (words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join(""));

class Exercise {
  constructor(box) {
    Object.assign(this, { box, ...box.dataset });
    this.maximum = Number(this.points);
    this.packages = this.packages.split(" ").filter(Boolean);
    this.find = (selector) => box.querySelector(selector);
    [this.note, this.output, this.result] = ["note", "output", "result"].map((part) => this.find(`.exercise-${part}`));
    this.area = this.find("textarea");
    this.pre = this.find("pre");
    this.starter = this.area ? this.area.dataset.code : this.pre.textContent.replace(/\n$/, "");
    this.kept = store.get("code", this.name)?.text ?? null;
    for (const button of box.querySelectorAll("[data-do]")) button.onclick = () => this[button.dataset.do]();
    if (this.area) this.prepareText();
    else this.prepareCode();
    this.showState();
  }

  get text() {
    return this.area ? this.area.value : (this.editor?.text ?? this.kept ?? this.starter);
  }

  // The cell of the notebook with the learner's answer in it.
  get cell() {
    if (!this.area) return this.text;
    if (!this.text.trim()) return this.starter;
    const text = this.text.trim().replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"').replace(/"$/, '\\"');
    return `${this.name} = """\n${text}\n"""`;
  }

  get before() {
    const own = this.box.closest("section");
    const blocks = [...document.querySelectorAll(".exercise-setup")].filter((block) => {
      const follows = block.compareDocumentPosition(this.box) & Node.DOCUMENT_POSITION_FOLLOWING;
      const section = block.closest("section");
      return follows && (section === own || !section.querySelector(":scope > .exercise"));
    });
    return blocks.map((block) => block.querySelector("pre").textContent).join("\n");
  }

  prepareText() {
    this.area.value = this.kept ?? "";
    this.area.addEventListener("input", () => this.keep(this.area.value));
  }

  prepareCode() {
    const place = this.pre.parentNode; // scrolling.js decides itself whether one can tab to the code in it
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", `Code of ${this.title}; the editor opens when you come here`);
    place.addEventListener("pointerdown", (event) => this.open({ x: event.clientX, y: event.clientY }));
    place.addEventListener("focus", () => this.open());
    if (this.kept === null || this.kept === this.starter) return;
    this.pre.textContent = this.kept;
    near.observe(this.box);
  }

  // Puts the editor in place of the code; with `point`, or from the keyboard, it gets the focus.
  async open(point = null, focus = true) {
    if (this.editor) return;
    try {
      const { edit } = await loadEditor();
      if (this.editor) return;
      const place = this.pre.parentNode;
      const text = this.text;
      const bind = (key, action) => ({ key, run: () => (this.find(`[data-do="${action}"]`)?.click(), true) });
      for (const name of ["tabindex", "role", "aria-label"]) place.removeAttribute(name);
      place.replaceChildren();
      this.editor = edit(place, {
        text,
        label: `Code of ${this.title}`,
        description: "exercise-keys",
        actions: [bind("Mod-Enter", "check"), bind("Shift-Enter", "run")],
        onChange: (changed) => this.keep(changed),
      });
      if (focus) this.editor.focus(point);
    } catch (error) {
      this.say(`The editor could not be loaded (${error.message}). Load the page again, or work in the notebook.`);
    }
  }

  keep(text) {
    this.kept = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keepNow(), 250);
    if (this.area) this.showState();
  }

  keepNow() {
    clearTimeout(this.timer);
    if (this.kept === null) return;
    const unchanged = this.kept === (this.area ? "" : this.starter);
    if (unchanged) store.remove("code", this.name);
    else if (!store.put("code", this.name, { text: this.kept })) this.say("This browser has no room to keep your code: download the notebook before you leave.");
    if (this.area && this.words) this.record(0);
  }

  get words() {
    return this.area.value.split(/\s+/).filter(Boolean).length;
  }

  record(points) {
    const best = store.get("exercise", this.name)?.points;
    if (best === undefined || points > best) store.put("exercise", this.name, { points });
  }

  reset() {
    if (this.text === (this.area ? "" : this.starter)) return;
    if (!confirm(`Throw away what you wrote for “${this.title}” and start over?`)) return;
    if (this.area) this.area.value = "";
    else if (this.editor) this.editor.text = this.starter;
    else this.pre.textContent = this.starter;
    this.kept = this.area ? "" : this.starter;
    this.keepNow();
    this.clear();
    this.showState();
  }

  run() {
    return this.perform(false);
  }

  check() {
    return this.perform(true);
  }

  stop() {
    if (this.declined) this.declined();
    else python.stop();
  }

  async perform(check) {
    if (working) return;
    this.setWorking(true);
    this.clear();
    this.keepNow(); // code that brings the browser down is not lost
    try {
      this.files = await python.about();
      if (await this.mayLoad(this.files)) this.show(await this.ask(this.files, check), check);
    } catch (error) {
      this.say(`${unreachable()} (${error.message})`);
    }
    this.setWorking(false);
    this.showState();
  }

  async ask(files, check) {
    const { name, before } = this;
    const bar = element("progress", { max: files.pythonBytes, value: 0 });
    bar.setAttribute("aria-label", "How much is loaded");
    const loading = setTimeout(() => {
      this.say(`Loading Python, ${megabytes(files.pythonBytes)} MB from this site; your browser keeps it for the next time.`);
      this.output.append(bar);
    }, 150);
    const ready = () => {
      clearTimeout(loading);
      bar.remove();
      this.say(check ? "Checking …" : "Running …");
    };
    const loaded = (bytes) => {
      if (bytes <= files.pythonBytes) bar.value = bytes;
      else if (this.packages.length && bar.isConnected) {
        this.say(`Loading ${this.packageNames(files)} …`);
        bar.removeAttribute("value");
      }
    };
    const result = await python.run({ set: page.dataset.set, name, before, code: this.text, check }, this.packages, {
      loaded,
      ready,
      output: (text) => this.print(text),
    });
    clearTimeout(loading);
    bar.remove();
    return result;
  }

  packageNames(files) {
    return sentence(this.packages.filter((name) => files.names[name]).map((name) => files.names[name]));
  }

  // Whether the packages that the exercise needs may be loaded: asked once for each host.
  async mayLoad(files) {
    if (!this.packages.length || store.get("allow", host(files))) return true;
    const size = this.packages.reduce((sum, name) => sum + (files.megabytes[name] ?? 0), 0);
    this.say(`This exercise needs ${this.packageNames(files)}: about ${size} MB from ${host(files)}, which then sees that your browser asks for it. Your browser keeps it for the next time.`);
    const yes = element("button", { type: "button", textContent: `Load ${size} MB` });
    const no = element("button", { type: "button", textContent: "Not now" });
    this.output.append(element("p", { className: "exercise-question" }, yes, no));
    yes.focus();
    const agreed = await new Promise((resolve) => {
      yes.onclick = () => resolve(true);
      no.onclick = this.declined = () => resolve(false);
    });
    this.declined = null;
    this.clear();
    this.find('[data-do="check"]').focus();
    if (agreed) store.put("allow", host(files), {});
    else this.say("Nothing was loaded. You can write your code here and run it in the notebook.");
    return agreed;
  }

  show({ found, failed, ended, seconds }, check) {
    if (ended === "time") this.say(`Stopped: your code ran longer than ${seconds} s; is there a loop that never ends? Your code is kept, and Python starts anew.`);
    else if (ended) this.say("Stopped. Your code is kept, and Python starts anew.");
    else if (failed?.step === "packages") this.say(`${this.packageNames(this.files)} could not be loaded from ${host(this.files)}. Your code is kept: try again when the connection is back, or work in the notebook. (${lastLine(failed.message)})`);
    else if (failed?.step === "python") this.say(`${unreachable()} (${lastLine(failed.message)})`);
    else if (failed) this.say(`Python broke down and starts anew; your code is kept. (${lastLine(failed.message)})`);
    else this.showFound(found, check);
  }

  showFound(found, check) {
    if (found.error) this.output.append(element("pre", { className: "exercise-error", textContent: found.error }));
    const quiet = !this.output.textContent;
    if (found.error) this.say(found.missing ? "Your code raised an error, and there is nothing to check yet." : "Your code raised an error.");
    else if (found.missing) this.say(found.missing);
    else if (!check && quiet) this.say("Your code ran and printed nothing. Call your function below it to see what it returns.");
    else this.say("");
    if (found.card) this.result.innerHTML = found.card; // the card of the notebook: text in it is escaped
    if (found.answered) this.record(found.points);
  }

  print(text) {
    let last = this.output.querySelector("pre.exercise-printed");
    if (!last) this.output.append((last = element("pre", { className: "exercise-printed" })));
    last.append(text);
  }

  say(text) {
    this.note.textContent = text;
  }

  clear() {
    this.say("");
    this.output.replaceChildren();
    this.result.replaceChildren();
  }

  setWorking(on) {
    working = on ? this : null;
    this.declined = null;
    this.find('[data-do="stop"]').hidden = !on;
    for (const button of document.querySelectorAll('[data-do="run"], [data-do="check"]')) button.setAttribute("aria-disabled", on);
  }

  showState() {
    const best = store.get("exercise", this.name)?.points;
    let says = best === undefined ? "" : `${best >= this.maximum ? "✓ " : ""}${number(best)} of ${this.maximum} points`;
    if (this.area) says = this.words ? `${this.words} words, kept in this browser; a person reads them` : "A person reads your text; it is kept in this browser";
    this.find(".exercise-state").textContent = says;
  }
}

const host = (files) => new URL(files.packages).host;

const unreachable = () => location.protocol === "file:"
  ? "Running code needs a server: run “make serve” and open its address, or work in the notebook."
  : "Python could not be loaded from this site. Your code is kept: try again when the connection is back, or work in the notebook.";

// Code that was written before gets its editor when the reader comes near it.
const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    exercises.find((each) => each.box === target).open(null, false);
  }
}, { rootMargin: "200px" });

const exercises = [];
for (const box of document.querySelectorAll(".exercise")) exercises.push(new Exercise(box));

function showSum() {
  const best = exercises.map((each) => store.get("exercise", each.name)?.points);
  const done = exercises.filter((each, i) => (each.area ? each.words > 0 : best[i] >= each.maximum)).length;
  const points = best.reduce((sum, value, i) => sum + Math.min(value ?? 0, exercises[i].maximum), 0);
  const maximum = exercises.reduce((sum, each) => sum + each.maximum, 0);
  page.querySelector(".exercise-sum").textContent = `Done: ${done} of ${exercises.length} exercises, ${number(points)} of ${maximum} points.`;
}

async function showAllowed() {
  const line = page.querySelector(".exercise-allowed");
  const hosts = exercises.some((each) => each.packages.length) ? Object.keys(store.all("allow")) : [];
  line.hidden = !hosts.length;
  line.querySelector("span").textContent = `You agreed to load packages from ${sentence(hosts)}.`;
  line.querySelector("button").onclick = () => hosts.forEach((name) => store.remove("allow", name));
}

// The notebook of this set, with the learner's code in the cells that hand out the starting points.
export async function notebook() {
  const answer = await fetch(page.dataset.notebook);
  if (!answer.ok) throw new Error(`${page.dataset.notebook}: ${answer.status}`);
  const content = await answer.json();
  for (const exercise of exercises) {
    const cell = content.cells.find((each) => each.cell_type === "code" && [each.source].flat().join("") === exercise.starter);
    if (!cell) throw new Error(`the notebook has no cell for ${exercise.name}`);
    cell.source = exercise.cell.split(/(?<=\n)/);
  }
  return `${JSON.stringify(content, null, 1)}\n`;
}

page.querySelector(".exercise-download").onclick = async () => {
  const sum = page.querySelector(".exercise-sum");
  try {
    const file = URL.createObjectURL(new Blob([await notebook()], { type: "application/x-ipynb+json" }));
    element("a", { href: file, download: page.dataset.notebook }).click();
    setTimeout(() => URL.revokeObjectURL(file), 10_000);
  } catch (error) {
    sum.textContent = `The notebook could not be made (${error.message}). Load the page again; your code is kept.`;
  }
};

addEventListener("mlcourse-store", ({ detail }) => {
  if (detail.kind === "exercise") showSum();
  if (detail.kind === "allow") showAllowed();
});
addEventListener("pagehide", () => exercises.forEach((each) => each.keepNow()));
showSum();
showAllowed();
