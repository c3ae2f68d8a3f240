// Python in a thread of its own: the page can end it at any time. It speaks in messages; python.mjs is the other side.
let python;
let loaded = 0;

// Counts the bytes that come in through fetch, so that the page can show how far it is, and says what is missing: Pyodide would wait.
const fetchAsItIs = self.fetch.bind(self);
self.fetch = async (...request) => {
  const answer = await fetchAsItIs(...request).catch((error) => lost(request[0], error.message));
  if (!answer.ok) lost(request[0], answer.status);
  if (!answer.body) return answer;
  const counter = new TransformStream({
    transform(chunk, stream) {
      loaded += chunk.byteLength;
      postMessage({ loaded });
      stream.enqueue(chunk);
    },
  });
  const counted = new Response(answer.body.pipeThrough(counter), answer);
  Object.defineProperty(counted, "url", { value: answer.url });
  return counted;
};

function lost(request, why) {
  const message = `${request.url ?? request}: ${why}`;
  if (!python) postMessage({ failed: { step: "python", message } });
  throw new Error(message);
}

async function start(files) {
  const { loadPyodide } = await import(`${files.python}pyodide.mjs`);
  const pyodide = await loadPyodide({ indexURL: files.python, packageBaseUrl: files.packages });
  const course = await fetch(files.course);
  pyodide.unpackArchive(await course.arrayBuffer(), "zip", { extractDir: "/course" });
  pyodide.runPython("import sys; sys.path.insert(0, '/course')");
  return pyodide;
}

async function load(packages) {
  const missing = packages.filter((name) => !python.loadedPackages[name]);
  if (!missing.length) return;
  const errors = [];
  try {
    await python.loadPackage(missing, { messageCallback: () => {}, errorCallback: (text) => errors.push(text) });
  } catch (error) {
    errors.push(error.message);
  }
  if (missing.some((name) => !python.loadedPackages[name])) throw new Error(errors.join("; ") || "not found");
}

function run(request) {
  const page = python.pyimport("mlcourse.exercises.page");
  python.runPython(`from mlcourse.exercises import exercise_set; exercise_set(${JSON.stringify(request.set)})`);
  const found = page.answer(python.toPy(request), (output) => postMessage({ output }), (running) => postMessage({ running }));
  return found.toJs({ dict_converter: Object.fromEntries });
}

async function handle({ files, packages, request }) {
  let step = "python";
  try {
    python ??= await start(files);
    step = "packages";
    await load(packages);
    step = "run";
    if (request) postMessage({ ready: true });
    if (request) postMessage({ found: run(request) });
  } catch (error) {
    postMessage({ failed: { step, message: error.message } });
  }
}

let last = Promise.resolve();
self.onmessage = ({ data }) => {
  last = last.then(() => handle(data));
};
