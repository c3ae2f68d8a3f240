// What the reader has done, kept in this browser and sent nowhere. Each thing has an entry of its own, so that two tabs do not
// overwrite each other:
//   read      "math/vectors"              { at }
//   quiz      "math/vectors#dot-product"  { answer, right, first: { answer, right, at }, before?: { answer, right, at }, at }
//                                                             before alone (and at), until the quiz itself is answered
//   exercise  "unit_vector"               { points, at }         the most points that a check has found
//   code      "unit_vector"               { text, at }           what stands in the editor
//   allow     "cdn.jsdelivr.net"          { at }                 a host from which the reader lets packages be loaded
const PREFIX = "mlcourse:";

let kept = null;
try {
  kept = window.localStorage;
  kept.setItem(`${PREFIX}test`, "1");
  kept.removeItem(`${PREFIX}test`);
} catch {
  kept = null; // a browser that keeps nothing: what is done lasts as long as the page
}
const here = new Map();

const storage = kept ?? {
  getItem: (key) => here.get(key) ?? null,
  setItem: (key, value) => here.set(key, value),
  removeItem: (key) => here.delete(key),
  key: (i) => [...here.keys()][i],
  get length() {
    return here.size;
  },
};

export const lasting = kept !== null;
export const now = () => new Date().toISOString();

export function get(kind, name) {
  return parse(storage.getItem(`${PREFIX}${kind}:${name}`));
}

// Returns false where the browser has no room left; the page goes on.
export function put(kind, name, entry) {
  try {
    storage.setItem(`${PREFIX}${kind}:${name}`, JSON.stringify({ at: now(), ...entry }));
  } catch {
    return false;
  }
  window.dispatchEvent(new CustomEvent("mlcourse-store", { detail: { kind, name } }));
  return true;
}

export function remove(kind, name) {
  storage.removeItem(`${PREFIX}${kind}:${name}`);
  window.dispatchEvent(new CustomEvent("mlcourse-store", { detail: { kind, name } }));
}

// All entries of one kind, as { name: entry }.
export function all(kind) {
  const start = `${PREFIX}${kind}:`;
  const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i)).filter((key) => key.startsWith(start));
  const entries = keys.map((key) => [key.slice(start.length), parse(storage.getItem(key))]);
  return Object.fromEntries(entries.filter(([, entry]) => entry !== null));
}

function parse(text) {
  try {
    const entry = JSON.parse(text);
    return typeof entry === "object" ? entry : null;
  } catch {
    return null; // written by something else
  }
}
