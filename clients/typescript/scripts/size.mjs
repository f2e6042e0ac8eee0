// Bundles what a user of each entry would ship, minified and gzipped, and fails over budget. `--write` puts the table into the README.
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const foreign = ["@perennial/client", "@perennial/client/*", "react", "vue", "svelte", "svelte/*", "ai"];
/** Name, entry, the most it may be in KB, whether it stands on the core, and what else is its own. Only ever lowered without a reason in the changelog. */
const rows = [
  ["SSE", "sse", 8.8],
  ["WebSocket", "websocket", 9.8],
  ["HTTP stream", "http-stream", 9.2],
  ["long polling", "long-poll", 9.6],
  ["all, chosen by name or automatically", "index", 12.2],
  ["store under the adapters", "store", 0.6, true],
  ["React adapter", "react", 0.6, true],
  ["Vue adapter", "vue", 0.6, true],
  ["Svelte adapter", "svelte", 0.6, true],
  ["manager, with its circuit breaker", "manager", 2, true, ["./breaker.js"]],
  ["Vercel AI SDK", "ai", 0.7, true],
];

let isOver = false;
const table = ["| what | import | minified | gzipped | limit |", "|---|---|---:|---:|---:|"];
for (const [name, entry, budget, isAdapter, parts = []] of rows) {
  const { outputFiles } = await build({
    stdin: { contents: `export * from "./dist/${entry}.js"`, resolveDir: "." },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    external: foreign,
    plugins: isAdapter ? [{ name: "own", setup: ({ onResolve }) => onResolve({ filter: /^\.\// }, ({ path }) => (path.endsWith(`/${entry}.js`) || parts.includes(path) ? undefined : { path, external: true })) }] : [],
  });
  const code = outputFiles[0].contents;
  const size = gzipSync(code, { level: 9 }).length;
  const over = size > budget * 1024;
  isOver ||= over;
  const kilobytes = (bytes) => `${(bytes / 1024).toFixed(2)} KB`;
  const path = entry === "index" ? "@perennial/client" : `@perennial/client/${entry}`;
  table.push(`| ${name} | \`${path}\` | ${kilobytes(code.length)} | ${kilobytes(size)}${over ? " **over**" : ""} | ${kilobytes(budget * 1024)} |`);
}

console.log(table.join("\n"));
if (process.argv.includes("--write")) {
  const readme = readFileSync("README.md", "utf8");
  writeFileSync("README.md", readme.replace(/(<!-- sizes -->\n)[^]*?(<!-- \/sizes -->)/, `$1${table.join("\n")}\n$2`));
}
process.exitCode = isOver ? 1 : 0;
