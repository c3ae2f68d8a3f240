// Part of every page of the offline copy. Opened as a file, a page may load neither modules nor other files; it may load scripts,
// and so both come from there. The same copy behind a server needs none of this.
{
  const root = new URL("../", document.currentScript.src);
  const pathOf = (address) => decodeURIComponent(new URL(address, document.baseURI).pathname.slice(root.pathname.length));
  const asFile = location.protocol === "file:";
  window.mlcourseOffline = { modules: {}, files: {} };

  const loading = {};
  const load = (path) =>
    (loading[path] ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(`${path}.js`, root);
      script.onload = resolve;
      script.onerror = () => reject(new TypeError(`${path} is not in this copy of the book`));
      document.head.append(script);
    }));

  window.mlcourseImport = (address) => import(new URL(address, document.baseURI));

  if (asFile) {
    window.mlcourseImport = async (address) => {
      const path = pathOf(address);
      await load(path);
      return window.mlcourseOffline.modules[path];
    };
    const fetchElsewhere = window.fetch;
    window.fetch = async (input, options) => {
      const address = new URL(input.url ?? input, document.baseURI);
      if (address.protocol !== "file:") return fetchElsewhere(input, options);
      const path = pathOf(address);
      await load(path);
      const bytes = Uint8Array.from(atob(window.mlcourseOffline.files[path]), (letter) => letter.charCodeAt(0));
      return new Response(bytes);
    };
    addEventListener("DOMContentLoaded", () => document.querySelectorAll(".offline-note").forEach((note) => (note.hidden = false)));
    window.Worker = class {
      constructor() {
        throw new Error("Programs do not run on a page opened as a file. In this copy's folder, run: python serve.py");
      }
    };
  }
}
