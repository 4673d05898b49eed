// One JSON line in, {"tex", "display"}; one JSON line out, {"html"} or {"error"}.   node katex.mjs FOLDER_OF_KATEX
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { default: katex } = await import(pathToFileURL(process.argv[2] + "/dist/katex.mjs"));

for await (const line of createInterface({ input: process.stdin })) {
  const { tex, display } = JSON.parse(line);
  let answer;
  try {
    answer = { html: katex.renderToString(tex, { displayMode: display, throwOnError: true, strict: "ignore" }) };
  } catch (problem) {
    answer = { error: String(problem.message) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
