// Bundles what a user of each entry would ship to browsers, minified and gzipped, and fails over budget. `--write` puts the tables into the README.
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { bundled, forBrowsers } from "./bundle.mjs";

/** Name, entry, the most it may be in KB, whether it stands on the core, and what else is its own. Only ever lowered without a reason in the changelog. */
const rows = [
  ["SSE", "sse", 10.45],
  ["WebSocket", "websocket", 10.4],
  ["HTTP stream", "http-stream", 10.95],
  ["long polling", "long-poll", 11.4],
  ["all, chosen by name or automatically", "index", 14.35],
  ["store with its text hook", "store", 0.95, true, ["./frames.js"]],
  ["what the adapters share: newest options, reloaded pages", "stream-store", 1.1, true, ["./saved.js"]],
  ["React adapter", "react", 0.35, true],
  ["Vue adapter", "vue", 0.4, true],
  ["Svelte adapter", "svelte", 0.4, true],
  ["manager, with its circuit breaker", "manager", 2.2, true, ["./breaker.js"]],
  ["formats of AI providers", "dialects", 1.5, true],
  ["Vercel AI SDK", "ai", 0.85, true],
];

/** What each module of the bundle of all is there for. */
const purposes = {
  client: "connect, read, send, stop, close; state, snapshots, metrics",
  http: "requests: tokens, replay safety, `Content-Location`, `Retry-After`, posts",
  sends: "the queue of messages to send, and what became of each",
  settings: "options: defaults and checks",
  loop: "connecting, reading, reconnecting: resume point, gaps, endings",
  body: "reading a body piece by piece, or as a text where it is no stream",
  blocked: "what in the browser is in the way: policy, CORS, six connections",
  response: "a response as a connection: heartbeats, 204, damage, media type",
  "sse-parser": "SSE",
  buffer: "the buffer: four modes, backpressure, latencies",
  signals: "end markers, control events, errors within a stream",
  events: "`on`: order, slow handlers, failing handlers",
  waiting: "waits that end with a signal, a timer or a change",
  backoff: "delays, jitter, limits, no network",
  host: "pages that sleep, hide, come back",
  pace: "turns of the event loop, so that a page stays responsive",
  metrics: "counts and percentiles",
  errors: "errors with codes",
  refusals: "what a refusal says: 64 KiB and two seconds of its body, `Retry-After`",
  requests: "`configureRequest`, its failures, credentials",
  credentials: "user name and password of a URL",
  "starts-once": "servers that start a stream once for a key",
  "platform-fetch": "the `fetch` of Node without its time limits",
  clock: "time that never goes back",
  session: "from one start to one ending",
  opening: "a bounded wait for a connection",
  log: "the lines of the `logger`",
  keys: "random keys, base64",
  socket: "headers and refusals of WebSocket handshakes",
  silence: "connect and idle timeouts, over sleep too",
  message: "messages",
  sse: "opening SSE",
  websocket: "WebSocket: opening, envelopes, pause, close codes, pings",
  "perennial-v1": "numbered sends: exactly once",
  "json-lines": "JSON lines and envelopes",
  "long-poll": "long polling",
  "http-stream": "opening JSON lines and raw chunks",
  auto: "finding the form that works",
  index: "forms by name",
};

/** What a reader of one stream could do without, if it had to be small before all else. */
const extras = ["sends", "metrics", "host", "events", "settings"];

const gzipped = (text) => gzipSync(text, { level: 9 }).length;
const kilobytes = (bytes) => `${(bytes / 1024).toFixed(2)} KB`;

const { sizes, isOver } = await measureEntries();
const parts = await measureParts();
console.log(sizes);
if (process.argv.includes("--parts")) console.log(parts);
if (process.argv.includes("--write")) {
  const readme = readFileSync("README.md", "utf8");
  writeFileSync("README.md", readme.replace(between("sizes"), `$1${sizes}\n$2`).replace(between("parts"), `$1${parts}\n$2`));
}
process.exitCode = isOver ? 1 : 0;

function between(name) {
  return new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
}

async function measureEntries() {
  let isOver = false;
  const table = ["| what | import | minified | gzipped | limit |", "|---|---|---:|---:|---:|"];
  for (const [name, entry, budget, isAdapter, parts = []] of rows) {
    // An adapter is what its own files add; the rest is the core, which is there in any case.
    const { outputFiles } = await build({
      ...bundled,
      ...forBrowsers,
      ...(isAdapter ? { entryPoints: [`src/${entry}.ts`] } : { stdin: { contents: `export * from "./dist/${entry}.js"`, resolveDir: "." } }),
      plugins: isAdapter ? [{ name: "core", setup: ({ onResolve }) => onResolve({ filter: /^\.\// }, ({ kind, path }) => (kind == "entry-point" || parts.includes(path) ? undefined : { path, external: true })) }] : [],
      logLevel: "error",
      write: false,
    });
    const code = outputFiles[0].text;
    const over = gzipped(code) > budget * 1024;
    isOver ||= over;
    const path = entry === "stream-store" ? "(with an adapter)" : entry === "index" ? "@perennial/client" : `@perennial/client/${entry}`;
    table.push(`| ${name} | \`${path}\` | ${kilobytes(code.length)} | ${kilobytes(gzipped(code))}${over ? " **over**" : ""} | ${kilobytes(budget * 1024)} |`);
  }
  return { sizes: table.join("\n"), isOver };
}

/** What each module adds to a bundle, gzipped: how much smaller it would be without. What repeats elsewhere counts for nobody. */
async function measureParts() {
  const one = await modulesOf("sse");
  const all = await modulesOf("index");
  const cell = (each) => (each ? `${each.minified} | ${each.adds}` : " | ");
  const lines = [...all].sort(([, a], [, b]) => b.adds - a.adds).map(([name, each]) => `| \`${name}\` | ${purposes[name] ?? ""} | ${cell(one.get(name))} | ${cell(each)} |`);
  const table = ["| module | for | in SSE: minified | adds gzipped | in all: minified | adds gzipped |", "|---|---|---:|---:|---:|---:|", ...lines];
  const rest = sizeOf(await textsOf("sse"), extras);
  return [...table, "", `SSE that only reads and resumes, without ${extras.map((name) => `\`${name}\``).join(", ")}: about ${kilobytes(rest)}.`].join("\n");
}

async function modulesOf(entry) {
  const texts = await textsOf(entry);
  const whole = sizeOf(texts);
  return new Map([...texts].map(([name, text]) => [name, { minified: text.length, adds: whole - sizeOf(texts, [name]) }]));
}

function sizeOf(texts, without = []) {
  return gzipped([...texts].map(([name, text]) => (without.includes(name) ? "" : text)).join(""));
}

async function textsOf(entry) {
  const { outputFiles } = await build({ ...bundled, ...forBrowsers, minify: false, minifySyntax: true, minifyIdentifiers: true, entryPoints: [`src/${entry}.ts`], write: false });
  const pieces = outputFiles[0].text.replace(/^export \{[^]*/m, "").split(/^\/\/ src\/(.*)\.ts$/m).slice(1);
  const texts = new Map();
  for (let index = 0; index < pieces.length; index += 2) texts.set(pieces[index], (await transform(pieces[index + 1], { minifyWhitespace: true })).code);
  return new Map([...texts].filter(([, text]) => text));
}
