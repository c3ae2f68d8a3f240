// Turn modules into scripts that a page opened as a file may load. In, as JSON: `site` and `modules`, paths below it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const { site, modules } = JSON.parse(readFileSync(0, "utf8"));
const scripts = {};
for (const module of modules) {
  const { outputFiles } = await build({
    entryPoints: [join(site, module)],
    bundle: true,
    write: false,
    minify: true,
    legalComments: "none",
    format: "iife",
    globalName: "exported",
    define: { "import.meta.url": "moduleAddress" },
    logLevel: "error",
  });
  // The address is asked for while the script runs: later there is no current script.
  scripts[module] =
    `(()=>{const moduleAddress=document.currentScript.src;${outputFiles[0].text}` +
    `mlcourseOffline.modules[${JSON.stringify(module)}]=exported})();`;
}
process.stdout.write(JSON.stringify(scripts));
