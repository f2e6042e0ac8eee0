import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { TransportError } from "../src/errors.js";
import { launch, missingBrowser } from "./support/browser.js";
import { isRequired } from "./support/test-server.js";

const skip = missingBrowser !== undefined && !isRequired ? `SKIPPED: ${missingBrowser}` : false;

/** Serves the published files to a page, and to one whose policy lets it reach its own origin alone; /chat redirects to /other, and /held is answered by a head alone, /never not at all. */
async function serve() {
  const seen: string[] = [];
  const server = createServer(({ method, url = "/" }, response) => {
    const file = /^\/dist\/[\w/-]+\.js$/.exec(url)?.[0];
    if (file) return void response.writeHead(200, { "content-type": "text/javascript" }).end(readFileSync(`.${file}`));
    if (url == "/open") return void response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
    if (url == "/") return void response.writeHead(200, { "content-type": "text/html", "content-security-policy": "connect-src 'self'" }).end("<!doctype html>");
    if (url != "/favicon.ico") seen.push(`${method} ${url}`);
    if (url == "/never") return;
    if (url == "/held") response.writeHead(200, { "content-type": "text/event-stream", "access-control-allow-origin": "*" }).flushHeaders();
    else if (url == "/chat") response.writeHead(301, { location: "/other" }).end();
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

test("In Chromium, a redirected POST and a WebSocket that a content security policy refuses end at once", { skip, timeout: 240_000 }, async () => {
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

/** How an attempt to connect ended in a page, as seen by its user. */
async function attempt(page: Page, options: object) {
  return page.evaluate(async (options) => {
    const path = "/dist/index.js";
    const { createTransport } = (await import(path)) as typeof import("../src/index.js");
    const transport = createTransport({ reconnect: { maxAttempts: 1, initialDelay: 0 }, ...options } as Parameters<typeof createTransport>[0]);
    let tries = 0;
    transport.on("connecting", () => tries++);
    const error = await transport.connect().then(() => undefined, (error: TransportError) => error);
    const first = (error?.code == "attempts-exhausted" ? error.cause : error) as TransportError | undefined;
    return { tries, code: first?.code, blockedBy: first?.blockedBy, says: !first?.blockedBy || first.message.includes(first.blockedBy), delivery: first?.delivery };
  }, options);
}

for (const transport of ["sse", "http-stream", "long-poll", "websocket"]) {
  test(`In Chromium, ${transport} tells a policy of the page, a server that does not allow its origin and one that is not there apart`, { skip, timeout: 240_000 }, async () => {
    await using server = await serve();
    await using foreign = await serve();
    const port = await freePort();
    const browser = await launch();
    try {
      const [strict, open] = [await browser.newPage(), await browser.newPage()];
      await strict.goto(server.url);
      await open.goto(`${server.url}open`);
      const forbidden = await attempt(strict, { transport, url: `${foreign.url}stream?token=1` });
      assert.deepEqual(forbidden, { tries: 1, code: "connect-failed", blockedBy: "content-security-policy", says: true, delivery: "not-sent" });
      assert.deepEqual(foreign.seen, []);
      const absent = await attempt(open, { transport, url: `http://127.0.0.1:${port}/stream` });
      assert.deepEqual(absent, { tries: 2, code: "connect-failed", blockedBy: undefined, says: true, delivery: undefined });
      if (transport == "websocket") return;      // has no CORS
      const unseen = await attempt(open, { transport, url: `${foreign.url}stream` });
      assert.deepEqual(unseen, { tries: 2, code: "connect-failed", blockedBy: "cors", says: true, delivery: undefined });
    } finally {
      await browser.close();
    }
  });
}

test("In Chromium, a stream that waits for one of six connections says so, and one to a slow server does not", { skip, timeout: 240_000 }, async () => {
  await using server = await serve();
  await using foreign = await serve();
  const browser = await launch();
  try {
    const page = await pageWithSixStreams(browser, server.url, `${server.url}held`);
    const waiting = await attempt(page, { transport: "sse", url: `${server.url}held`, connectTimeout: 500 });
    assert.deepEqual(waiting, { tries: 2, code: "connect-timeout", blockedBy: "connection-limit", says: true, delivery: undefined });
    const other = await pageWithSixStreams(browser, server.url, `${foreign.url}held`);
    const slow = await attempt(other, { transport: "sse", url: `${server.url}never`, connectTimeout: 500 });
    assert.deepEqual(slow, { tries: 2, code: "connect-timeout", blockedBy: undefined, says: true, delivery: undefined });
  } finally {
    await browser.close();
  }
});

async function pageWithSixStreams(browser: Browser, site: string, url: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${site}open`);
  await page.evaluate(async (url) => {
    const path = "/dist/index.js";
    const { createTransport } = (await import(path)) as typeof import("../src/index.js");
    await Promise.all(Array.from({ length: 6 }, () => createTransport({ transport: "sse", url }).connect()));
  }, url);
  return page;
}

/** A port where nobody listens any more. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
