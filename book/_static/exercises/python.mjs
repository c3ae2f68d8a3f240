// One Python for the page, in a worker. It does one thing at a time, and can be ended at any time.
const SECONDS = 10; // as in the notebook

let worker = null;
let current = null; // what the worker does now: { callbacks, packages, used, since, timer }

const files = new Map();

// Where everything is and how large: written by the build.
export async function about() {
  const here = new URL("files.json", import.meta.url);
  if (!files.has("all")) {
    const answer = await fetch(here, { cache: "no-cache" });
    if (!answer.ok) throw new Error(`files.json is missing (${answer.status})`);
    const all = await answer.json();
    for (const key of ["python", "course", "editor", "packages"]) all[key] = new URL(all[key], here).href;
    files.set("all", all);
  }
  return files.get("all");
}


// Runs a request and resolves with what was found: { found }, { failed: { step, message } } or { ended: "stopped" | "time" }.
// on.output(text) gets what the code prints, on.loaded(bytes) how much has come in, on.ready() says that the code begins.
export async function run(request, packages, on) {
  const all = await about();
  if (!worker) worker = fresh();
  return new Promise((resolve) => {
    current = { resolve, on, packages, used: 0 };
    worker.postMessage({ files: all, packages, request });
  });
}

export function stop() {
  end({ ended: "stopped" });
}

function fresh() {
  const made = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
  made.onmessage = ({ data }) => {
    if (made !== worker) return;
    if (current) hear(data);
    else if (data.failed) end(); // one that got ready for later
  };
  made.onerror = (event) => made === worker && end({ failed: { step: "python", message: event.message || "the worker could not be loaded" } });
  return made;
}

function hear(data) {
  if ("loaded" in data) current.on.loaded(data.loaded);
  if ("ready" in data) {
    current.ran = true;
    current.on.ready();
  }
  if ("output" in data) current.on.output(data.output);
  if ("running" in data) count(data.running);
  if ("found" in data) finish({ found: data.found });
  if ("failed" in data) (data.failed.step === "packages" ? finish : end)({ failed: data.failed });
}

// Only the learner's code is on the clock, not the loading, nor what the check computes itself.
function count(running) {
  clearTimeout(current.timer);
  if (!running) {
    current.used += performance.now() - current.since;
    return;
  }
  current.since = performance.now();
  current.timer = setTimeout(() => end({ ended: "time", seconds: SECONDS }), Math.max(0, 1000 * SECONDS - current.used));
}

function finish(result) {
  clearTimeout(current.timer);
  const { resolve } = current;
  current = null;
  resolve(result);
}

// Ends Python. Where code was ended, another one gets ready for the next run.
async function end(result) {
  worker?.terminate();
  worker = null;
  if (!current) return;
  const { packages, ran } = current;
  finish(result);
  if (ran) {
    worker = fresh();
    worker.postMessage({ files: await about(), packages });
  }
}
