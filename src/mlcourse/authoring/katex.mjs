// Renders formulas: one JSON request a line in, one JSON answer a line out.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { join } from "node:path";

// This file is installed with the Python package; KaTeX is in the book's own node_modules.
const katex = createRequire(join(process.cwd(), "package.json"))("katex");

for await (const line of createInterface({ input: process.stdin })) {
  const { tex, display } = JSON.parse(line);
  let answer;
  try {
    answer = { html: katex.renderToString(tex, { displayMode: display, output: "htmlAndMathml", strict: "error", throwOnError: true }) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
