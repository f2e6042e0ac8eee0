// Runs an example: npm run example react|vue|svelte|vanilla|node. It starts the server with `dotnet run`, unless `--server URL` names one
// that runs already (perennial serve --demo). `--port N` chooses where the page is. What follows `node` is the question to ask.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, request as ask } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { bundle } from "./bundle-example.mjs";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { server: { type: "string" }, port: { type: "string", default: "5173" } } });
const [name, ...rest] = positionals;
if (!existsSync(`examples/${name}`) || name.includes(".")) {
  console.error("usage: npm run example react|vue|svelte|vanilla|node");
  process.exit(2);
}

const files = await bundle(name);
const server = new URL(values.server ?? (await startServer()));
if (name === "node") runInNode();
else serve();

/** The page, and beside it the server's streams, as a development server has it. */
function serve() {
  const site = createServer((incoming, response) => {
    const file = files[incoming.url === "/" ? "index.html" : incoming.url.slice(1)];
    if (file === undefined) return forward(incoming, response);
    const type = { html: "text/html", css: "text/css", js: "text/javascript" }[incoming.url.split(".")[1] ?? "html"];
    response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(file);
  });
  site.on("upgrade", forwardSocket);
  site.listen(Number(values.port), "127.0.0.1", () => console.log(`The ${name} example is at http://127.0.0.1:${site.address().port}/`));
}

function forward(incoming, response) {
  const outgoing = ask(new URL(incoming.url, server), { method: incoming.method, headers: headersFor(incoming) }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response).on("error", () => {});
    answer.on("close", () => answer.complete || response.destroy());      // what broke off there breaks off here
  });
  outgoing.on("error", () => response.destroy());
  response.on("close", () => outgoing.destroy());
  incoming.pipe(outgoing);
}

function forwardSocket(incoming, client) {
  const upstream = connect(Number(server.port), server.hostname);
  const headers = Object.entries(headersFor(incoming)).map(([key, value]) => `${key}: ${value}\r\n`);
  upstream.write(`GET ${incoming.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
  for (const [from, to] of [[client, upstream], [upstream, client]]) from.pipe(to).on("error", () => from.destroy());
}

/** The page is the server's own, as far as the server can tell. */
function headersFor({ headers: { origin, ...headers } }) {
  return { ...headers, host: server.host };
}

function runInNode() {
  mkdirSync("build/examples", { recursive: true });
  writeFileSync("build/examples/node.mjs", files["main.js"]);
  spawn(process.execPath, ["build/examples/node.mjs", server.origin, ...rest], { stdio: "inherit" }).on("exit", (code) => process.exit(code ?? 1));
  process.on("SIGINT", () => {});      // is for the example, which has it too
}

async function startServer() {
  const command = ["run", "--project", "../../src/Perennial.Cli", "--", "serve", "--demo", "--url", "http://127.0.0.1:0"];
  console.error("Building and starting the server...");
  // In a group of its own: Ctrl-C is for the example, which may have something to say to the server.
  const program = spawn("dotnet", command, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  program.on("error", () => {
    console.error("The server needs .NET; or name one that runs: --server URL");
    process.exit(1);
  });
  process.on("exit", () => process.kill(-program.pid));
  process.once("SIGTERM", () => process.exit());
  if (name !== "node") process.once("SIGINT", () => process.exit());
  for await (const line of createInterface(program.stdout)) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url) return url;
  }
  process.exit(1);
}
