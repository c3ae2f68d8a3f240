// The reader's progress as a file: one JSON with everything, or the lines that a notebook's progress() wrote.
import * as store from "./store.mjs";

const FORMAT = "mlcourse progress";
const VERSION = 1;
const LARGEST = 20e6;
const FIELDS = ["answer", "at", "before", "first", "points", "right", "text"];

const dated = ({ at }) => typeof at === "string" && !Number.isNaN(Date.parse(at));
const answered = (a) => a !== null && typeof a === "object" && Number.isInteger(a.answer) && a.answer >= 0 && typeof a.right === "boolean" && dated(a);
const later = (a, b) => (Date.parse(b.at) > Date.parse(a.at) ? b : a);
const earlier = (a, b) => (Date.parse(b.at) < Date.parse(a.at) ? b : a);
const either = (choose, a, b) => (a && b ? choose(a, b) : (a ?? b));

// For each kind: what an entry must be, which of two wins, and what several are called.
const KINDS = {
  read: { valid: dated, merge: (mine) => mine, words: ["chapter read", "chapters read"] },
  quiz: {
    valid: (e) => dated(e) && ("before" in e || "answer" in e) && (!("before" in e) || answered(e.before)) && (!("answer" in e) || (answered(e) && answered(e.first))),
    merge: mergeAnswers,
    words: ["quiz answer", "quiz answers"],
  },
  exercise: { valid: (e) => Number.isFinite(e.points) && e.points >= 0 && dated(e), merge: (mine, theirs) => (theirs.points > mine.points ? theirs : mine), words: ["exercise", "exercises"] },
  code: { valid: (e) => typeof e.text === "string" && dated(e), merge: later, words: ["program", "programs"] },
};

function mergeAnswers(mine, theirs) {
  const last = either(later, "answer" in mine ? mine : undefined, "answer" in theirs ? theirs : undefined);
  const before = either(later, mine.before, theirs.before);
  const first = either(earlier, mine.first, theirs.first);
  return { ...(last && { answer: last.answer, right: last.right, first }), ...(before && { before }), at: (last ?? before).at };
}

export function save() {
  const kinds = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, store.all(kind)]));
  return JSON.stringify({ format: FORMAT, version: VERSION, saved: store.now(), ...kinds }, null, 2) + "\n";
}

// Returns the entries of a file by kind, or throws an error that says what is wrong with it.
export function read(text) {
  if (text.length > LARGEST) throw new Error("It is larger than any progress can be.");
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    return readLines(text);
  }
  if (file?.format !== FORMAT) return readLines(text);
  if (file.version !== VERSION) throw new Error(`It has version ${file.version} of the format; this page reads version ${VERSION}. Reload the page, or use a newer copy of the site.`);
  return Object.entries(KINDS).map(([kind, { valid }]) => {
    const entries = Object.entries(file[kind] ?? {});
    for (const [name, entry] of entries) {
      if (entry === null || typeof entry !== "object" || !valid(entry)) throw new Error(`Its entry “${name}” (${kind}) is damaged.`);
    }
    return [kind, entries];
  });
}

// What a notebook wrote: a line for each check and each answer; lines that were cut off are passed over.
function readLines(text) {
  const [exercises, questions] = [new Map(), new Map()];
  for (const line of text.split("\n")) {
    let entry;
    try {
      entry = JSON.parse(line) ?? {};
    } catch {
      continue;
    }
    const { exercise, quiz, points, answer, right, at } = entry;
    if (typeof exercise === "string" && entry.answered && KINDS.exercise.valid(entry)) {
      const found = { points, at };
      exercises.set(exercise, either((a, b) => KINDS.exercise.merge(a, b), exercises.get(exercise), found));
    } else if (typeof quiz === "string" && answered(entry)) {
      const given = { answer, right, at };
      const found = entry.before ? { before: given, at } : { ...given, first: given };
      questions.set(quiz, either(mergeAnswers, questions.get(quiz), found));
    }
  }
  if (!exercises.size && !questions.size) throw new Error("It is neither a file that this page saved nor a notebook's progress.jsonl.");
  return [["exercise", [...exercises]], ["quiz", [...questions]]];
}

// Puts in what is better or newer than what is here; returns how many of each kind changed, in words, or what went wrong.
export function merge(kinds) {
  const plain = (entry) => JSON.stringify(entry, FIELDS);
  const changed = [];
  let [kept, lost] = [0, 0];
  for (const [kind, entries] of kinds) {
    let count = 0;
    for (const [name, theirs] of entries) {
      const mine = store.get(kind, name);
      const best = mine ? KINDS[kind].merge(mine, theirs) : theirs;
      if (mine && plain(mine) === plain(best)) kept += 1;
      else if (store.put(kind, name, JSON.parse(plain(best)))) count += 1;
      else lost += 1;
    }
    if (count) changed.push(`${count} ${KINDS[kind].words[count > 1 ? 1 : 0]}`);
  }
  const words = changed.length ? `Imported: ${changed.join(", ")}.` : "Nothing in this file is newer or better than what is here.";
  const rest = changed.length && kept ? ` ${kept} more ${kept > 1 ? "were" : "was"} here already.` : "";
  return words + rest + (lost ? ` The browser has no room for ${lost} more.` : "");
}

export function forget() {
  for (const kind of Object.keys(KINDS)) for (const name of Object.keys(store.all(kind))) store.remove(kind, name);
}
