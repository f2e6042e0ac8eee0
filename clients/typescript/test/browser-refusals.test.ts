import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { launch, missingBrowser } from "./support/browser.js";
import { isRequired } from "./support/test-server.js";

const skip = missingBrowser !== undefined && !isRequired ? `SKIPPED: ${missingBrowser}` : false;

/** Serves the published files to a page whose policy lets it reach its own origin alone; /chat redirects to /other. */
async function serve() {
  const seen: string[] = [];
  const server = createServer(({ method, url = "/" }, response) => {
    const file = /^\/dist\/[\w/-]+\.js$/.exec(url)?.[0];
    if (file) return void response.writeHead(200, { "content-type": "text/javascript" }).end(readFileSync(`.${file}`));
    if (url == "/") return void response.writeHead(200, { "content-type": "text/html", "content-security-policy": "connect-src 'self'" }).end("<!doctype html>");
    if (url != "/favicon.ico") seen.push(`${method} ${url}`);
    if (url == "/chat") response.writeHead(301, { location: "/other" }).end();
    else response.writeHead(200, { "content-type": "text/event-stream" }).end("data: of another stream\n\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    seen,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test("In Chromium, a redirected POST and a WebSocket that a content security policy refuses end at once", { skip, timeout: 120_000 }, async () => {
  await using server = await serve();
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    const codes = await page.evaluate(async () => {
      const path = "/dist/index.js";
      const { createTransport } = (await import(path)) as typeof import("../src/index.js");
      const codeOf = (options: Parameters<typeof createTransport>[0]) =>
        createTransport({ reconnect: false, ...options }).connect().then(() => "connected", ({ code }: { code: string }) => code);
      return Promise.all([
        codeOf({ transport: "sse", url: "/chat", body: { prompt: "hi" } }),
        codeOf({ transport: "websocket", url: "ws://refused.test/stream" }),
        codeOf({ transport: "websocket", url: "/stream", headers: { "x-tenant": "7" } }),
      ]);
    });
    assert.deepEqual(codes, ["redirect-refused", "connect-failed", "connect-failed"]);
    assert.deepEqual(server.seen, ["POST /chat"]);
  } finally {
    await browser.close();
  }
});
