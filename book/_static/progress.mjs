// The reader's page: figures from this browser's store into the list of chapters that the page has; save, import, forget.
import * as store from "./store.mjs";
import * as file from "./progress-file.mjs";

const round = (points) => Math.round(points * 100) / 100;
const plural = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;

function question(item) {
  const entry = store.get("quiz", item.dataset.quiz);
  const answered = Boolean(entry?.first);
  const right = answered && entry.first.right;
  const words = right ? "right at the first try" : answered ? (entry.right ? "right now" : "not right yet") : entry?.before ? "answered before the chapter" : "";
  return { words, sign: right || (answered && entry.right) ? "right" : answered ? "wrong" : "", answered, right };
}

function exercise(item) {
  const entry = store.get("exercise", item.dataset.exercise);
  const most = Number(item.dataset.points);
  const manual = "manual" in item.dataset;
  const points = Math.min(entry?.points ?? 0, most);
  const done = Boolean(entry) && (manual || points >= most);
  const words = manual ? (entry ? "written; a person gives the points" : `${plural(most, "point")} by a person`) : `${entry ? `${round(points)} of ` : ""}${plural(most, "point")}`;
  return { words, sign: done ? "right" : "", done, points, most, begun: Boolean(entry) };
}

function mark(item, { words, sign }) {
  const place = item.querySelector(".progress-mark");
  place.textContent = words;
  place.dataset.sign = sign;
}

const sum = (list, key) => list.reduce((total, one) => total + Number(one[key]), 0);

function chapter(place) {
  const read = store.get("read", place.dataset.chapter);
  const show = (selector, look) => [...place.querySelectorAll(selector)].map((item) => {
    const found = look(item);
    mark(item, found);
    return found;
  });
  const [questions, exercises] = [show("[data-quiz]", question), show("[data-exercise]", exercise)];
  const [answered, right, points, most] = [sum(questions, "answered"), sum(questions, "right"), sum(exercises, "points"), sum(exercises, "most")];
  const quiz = answered ? `quiz ${answered} of ${questions.length}, ${right} right at the first try` : `quiz of ${questions.length}`;
  const words = [read ? "✓ read" : "not read yet", quiz, `${round(points)} of ${most} points`];
  place.querySelector(".progress-state").textContent = words.join(" · ");
  const open = exercises.find(({ done }) => !done);
  return {
    title: place.querySelector(".progress-title"), read: Boolean(read), answered, asked: questions.length, right, points, most,
    begun: Boolean(read) || answered > 0 || exercises.some(({ begun }) => begun),
    left: !read ? "read" : answered < questions.length ? "quiz" : open ? "exercises" : "",
    item: open && place.querySelectorAll("[data-exercise] > a")[exercises.indexOf(open)],
  };
}

function total(kind, value, most, words) {
  const place = document.querySelector(`[data-total=${kind}]`);
  Object.assign(place.querySelector("progress"), { max: most || 1, value });
  place.querySelector(".progress-number").textContent = words;
}

// Go on with the chapter that was begun last in the course's order; else begin the first.
function next(chapters) {
  const open = chapters.filter(({ left }) => left);
  const at = open.findLast(({ begun }) => begun) ?? open[0];
  if (!at) return ["Everything is done."];
  if (at.left === "exercises") return ["Next: the exercise ", at.item.cloneNode(true), ` of ${at.title.textContent}.`];
  const link = at.title.cloneNode(true);
  if (at.left === "quiz") link.hash = "quiz";
  return [at.left === "quiz" ? "Next: the quiz of " : at.begun ? "Next: go on with " : "Next: begin with ", link, "."];
}

function show() {
  const chapters = [...document.querySelectorAll("[data-chapter]")].map(chapter);
  const [answered, asked, right] = ["answered", "asked", "right"].map((key) => sum(chapters, key));
  const [points, most] = [round(sum(chapters, "points")), sum(chapters, "most")];
  const read = sum(chapters, "read");
  total("read", read, chapters.length, `${read} of ${chapters.length}`);
  total("quiz", answered, asked, `${answered} of ${asked}${answered ? `, ${right} right at the first try` : ""}`);
  total("exercise", points, most, `${points} of ${most}`);
  document.querySelector(".progress-next").replaceChildren(...next(chapters));
}

function tools(place) {
  const status = place.querySelector("[role=status]");
  const [chosen, dialog] = [place.querySelector("input"), place.querySelector("dialog")];
  if (!store.lasting) status.textContent = "This browser keeps nothing for this site (a private window, or its settings): what you do is gone when you leave a page.";
  const actions = {
    save() {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([file.save()], { type: "application/json" }));
      link.download = `mlcourse-progress-${store.now().slice(0, 10)}.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      status.textContent = `Saved to ${link.download}, in the folder of your downloads.`;
    },
    import: () => chosen.click(),
    forget: () => dialog.showModal(),
  };
  place.addEventListener("click", ({ target }) => actions[target.dataset.do]?.());
  chosen.addEventListener("change", async () => {
    const name = chosen.files[0].name;
    try {
      status.textContent = file.merge(file.read(await chosen.files[0].text()));
    } catch (error) {
      status.textContent = `${name} was not imported, and nothing has changed. ${error.message}`;
    }
    chosen.value = ""; // the same file may be chosen again
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "forget") file.forget();
    status.textContent = dialog.returnValue === "forget" ? "Everything is forgotten on this device." : "Nothing was forgotten.";
    dialog.returnValue = "";
  });
}

for (const event of ["mlcourse-store", "storage"]) window.addEventListener(event, show);
show();
document.querySelectorAll(".progress-tools").forEach(tools);
