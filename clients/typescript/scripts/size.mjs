// Bundles what a user of each entry would ship, minified and gzipped, and fails over budget. `--write` puts the table into the README.
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { bundled } from "./bundle.mjs";

/** Name, entry, and the most it may be in KB: what it is, and a little. Only ever lowered without a reason in the changelog. */
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
  ["manager", "manager", 1.2, true],
  ["Vercel AI SDK", "ai", 0.7, true],
];

let isOver = false;
const table = ["| what | import | minified | gzipped | limit |", "|---|---|---:|---:|---:|"];
for (const [name, entry, budget, isAdapter] of rows) {
  // An adapter is what its own file adds; the rest is the core, which is there in any case.
  const { outputFiles } = await build({
    ...bundled,
    ...(isAdapter ? { entryPoints: [`src/${entry}.ts`] } : { stdin: { contents: `export * from "./dist/${entry}.js"`, resolveDir: "." } }),
    plugins: isAdapter ? [{ name: "core", setup: ({ onResolve }) => onResolve({ filter: /^\.\// }, ({ kind, path }) => (kind == "entry-point" ? undefined : { path, external: true })) }] : [],
    logLevel: "error",
    write: false,
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
