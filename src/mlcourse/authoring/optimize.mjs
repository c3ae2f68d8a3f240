// Make one small style sheet and one small script. In, as JSON: `css`, `words` (all that pages and scripts may name) and `js`.
import { readFileSync } from "node:fs";
import { transform as minifyScript } from "esbuild";
import { transform as minifyStyle } from "lightningcss";
import { PurgeCSS } from "purgecss";

const { css, words, js } = JSON.parse(readFileSync(0, "utf8"));
const [used] = await new PurgeCSS().purge({
  content: [{ raw: words.join(" "), extension: "html" }],
  css: [{ raw: css }],
  defaultExtractor: (text) => text.split(" "),
  fontFace: true,
  keyframes: true,
  variables: true,
  safelist: { standard: [/^data-/], variables: words.filter((word) => word.startsWith("--")) },
  blocklist: [/accordion/, /carousel/, /list-group/, /offcanvas/, /popover/, /toast/, /version-switcher/], // named in scripts, on no page
});
const style = minifyStyle({ filename: "bundle.css", code: Buffer.from(used.css), minify: true, errorRecovery: true });
const scripts = await Promise.all(js.map((code) => minifyScript(code, { minify: true, legalComments: "none" })));
process.stdout.write(JSON.stringify({ css: style.code.toString(), js: scripts.map((script) => script.code).join(";\n") }));
