import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { inspect } from "node:util";
import { createTransport } from "../src/sse.js";
import { readAll } from "./support/forms.js";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";

async function serve(answer: RequestListener): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/chat`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test("A configureRequest that fails is a lost attempt, and the next one asks it again", async () => {
  let asked = 0;
  const scripted = new Scripted({
    reconnect: { jitter: false },
    async configureRequest({ headers }) {
      if (++asked < 3) throw new TypeError("fetch failed");
      headers.set("authorization", "token");
    },
  });
  scripted.transport.connect().catch(() => {});
  await scripted.clock.advance(3000);
  assert.equal(asked, 3);
  assert.equal(scripted.requests.length, 1);
  assert.equal(scripted.last.headers.get("authorization"), "token");
  await scripted.transport.close();
});

test("A configureRequest that keeps failing ends with its own error as the cause", async () => {
  const cause = new Error("token server down");
  const scripted = new Scripted({ reconnect: { jitter: false, maxAttempts: 1 }, configureRequest: () => Promise.reject(cause) });
  const failed = assert.rejects(scripted.transport.connect(), ({ code, cause: last }: { code: string; cause: { code: string; cause: unknown } }) => {
    assert.deepEqual([code, last.code, last.cause], ["attempts-exhausted", "connect-failed", cause]);
    return true;
  });
  await scripted.clock.advance(1000);
  await failed;
});

test("A POST that is redirected is refused, and never followed as a GET", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const seen: string[] = [];
    await using server = await serve((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      if (request.url == "/chat") response.writeHead(status, { location: "/other" }).end();
      else response.writeHead(200, { "content-type": "text/event-stream" }).end("data: of another stream\n\n");
    });
    const transport = createTransport({ url: server.url, body: { prompt: "hi" } });
    await assert.rejects(readAll(transport), { code: "redirect-refused", status, delivery: "not-sent" });
    assert.deepEqual(seen, ["POST /chat"]);
  }
});

test("A GET follows redirects", async () => {
  await using server = await serve((request, response) => {
    if (request.url == "/chat") response.writeHead(302, { location: "/other" }).end();
    else response.writeHead(200, { "content-type": "text/event-stream" }).end("data: there\n\n");
  });
  assert.deepEqual(await readAll(createTransport({ url: server.url })), ["there"]);
});

test("User name and password of a URL go to its origin as Basic credentials, and stand in no error, point or request line", async () => {
  const seen: (string | undefined)[] = [];
  await using server = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(403).end();
  });
  const url = server.url.replace("http://", "http://m%40e:p%C3%A4ss@");
  const transport = createTransport({ url });
  const error = await transport.connect().then(() => undefined, (error: unknown) => error);
  assert.deepEqual(seen, [`Basic ${Buffer.from("m@e:päss").toString("base64")}`]);
  assert.equal(transport.resumePoint?.url, server.url);
  assert.doesNotMatch(`${JSON.stringify(error)} ${String((error as Error).stack)} ${JSON.stringify(transport.getSnapshot())}`, /p%C3|päss/);
  // Nothing listens there: the error has a cause, which the platform made.
  await server[Symbol.asyncDispose]();
  const lost = createTransport({ url, reconnect: { maxAttempts: 1 } });
  const failure = await lost.connect().then(() => undefined, (error: unknown) => error as Error);
  const causes: unknown[] = [];
  for (let cause: unknown = failure; cause instanceof Error; cause = cause.cause) causes.push(inspect(cause, { depth: 9 }));
  assert.ok(causes.length > 1, "an error with a cause");
  assert.doesNotMatch(causes.join(), /p%C3|päss/);
  const elsewhere = new Scripted({ url: "https://me:secret@example.com/stream", sendUrl: "https://other.test/messages" });
  elsewhere.transport.connect().catch(() => {});
  await settled();
  elsewhere.last.answer();
  await settled();
  elsewhere.transport.send("x").catch(() => {});
  await settled();
  assert.equal(elsewhere.last.url, "https://other.test/messages");
  assert.equal(elsewhere.last.headers.get("authorization"), null);
  await elsewhere.transport.close();
});

test("Tells a server that Perennial's events are understood, except where a page would need the permission of another origin", async () => {
  const told = async (url: string) => {
    const scripted = new Scripted({ url });
    scripted.transport.connect().catch(() => {});
    await settled();
    await scripted.transport.close();
    return scripted.requests[0]!.headers.get("perennial-protocol");
  };
  assert.equal(await told("https://example.com/stream"), "1");
  Object.assign(globalThis, { location: new URL("https://page.test/chat") });
  try {
    assert.equal(await told("https://page.test/stream"), "1");
    assert.equal(await told("https://example.com/stream"), null);
  } finally {
    delete (globalThis as { location?: unknown }).location;
  }
});

const refusals = [
  ['{"error":{"message":"bad api key","code":"invalid_api_key"}}', "bad api key", "invalid_api_key"],
  ['{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "Overloaded", "overloaded_error"],
  ['{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}', "Quota", "RESOURCE_EXHAUSTED"],
  ['{"error":"model not found"}', "model not found", undefined],
  ['{"type":"https://x.test/out-of-credit","title":"Out of credit","detail":"Your balance is 30."}', "Your balance is 30.", "https://x.test/out-of-credit"],
  ["no such stream", "no such stream", undefined],
  ["<html><body>Bad gateway</body></html>", undefined, undefined],
  ["", undefined, undefined],
] as const;

test("A refusal says what the server says of it", async () => {
  for (const [body, serverMessage, serverCode] of refusals) {
    await using server = await serve((_, response) => void response.writeHead(400).end(body));
    const transport = createTransport({ url: server.url });
    await assert.rejects(transport.connect(), ({ status, ...error }: { status: number; serverMessage?: string; serverCode?: string; message: string }) => {
      assert.deepEqual([status, error.serverMessage, error.serverCode], [400, serverMessage, serverCode]);
      assert.equal(error.message, undefined);
      return true;
    });
  }
});

test("A refusal is read for 64 KiB and two seconds at most", async () => {
  const long = new Scripted();
  const failed = assert.rejects(long.transport.connect(), ({ serverMessage }: { serverMessage: string }) => serverMessage.length == 65_536);
  await settled();
  long.last.answer(400, {}, undefined, "x".repeat(100_000));
  await failed;
  const silent = new Scripted();
  const waited = assert.rejects(silent.transport.connect(), { code: "http-status", status: 400, serverMessage: "half" });
  await settled();
  silent.last.answer(400, {}, undefined, "half", false);
  await silent.clock.advance(2_000);
  await waited;
  assert.equal(silent.clock.pending, 0);
});

test("The request that starts a stream has a key of its own, the same each time, unless the caller gives one", async () => {
  const scripted = new Scripted({ body: "hi", allowReplay: true, reconnect: { jitter: false } });
  scripted.transport.connect().catch(() => {});
  await settled();
  const key = scripted.last.headers.get("idempotency-key");
  assert.match(key!, /^"\d+(-\d+){3}"$/);
  scripted.last.fail();
  await scripted.clock.advance(1000);
  assert.equal(scripted.last.headers.get("idempotency-key"), key);
  await scripted.transport.close();
  const own = new Scripted({ body: "hi", headers: { "Idempotency-Key": "mine" }, sendUrl: "/messages" });
  own.transport.connect().catch(() => {});
  await settled();
  assert.equal(own.last.headers.get("idempotency-key"), "mine");
  own.last.answer();
  await settled();
  own.transport.send("x").catch(() => {});
  await settled();
  assert.notEqual(own.last.headers.get("idempotency-key"), "mine");
  await own.transport.close();
  const read = new Scripted();
  read.transport.connect().catch(() => {});
  await settled();
  assert.equal(read.last.headers.get("idempotency-key"), null);
  await read.transport.close();
});

test("A POST is repeated by itself only where the server announced that it starts once for a key", async () => {
  const options = { url: "https://once.test/chat?a=1", body: "hi", reconnect: { jitter: false } };
  const before = new Scripted(options);
  const interrupted = assert.rejects(before.transport.connect(), { code: "interrupted" });
  await settled();
  before.last.fail();
  await interrupted;

  const announced = new Scripted(options);
  announced.transport.connect().catch(() => {});
  await settled();
  announced.last.answer(503, { "perennial-starts": "once" });
  await settled();
  assert.equal(announced.transport.state, "reconnecting");
  await announced.transport.close();

  const after = new Scripted({ ...options, url: "https://once.test/chat?a=2" });
  after.transport.connect().catch(() => {});
  await settled();
  const key = after.last.headers.get("idempotency-key");
  after.last.fail();
  await after.clock.advance(1000);
  assert.equal(after.requests.length, 2);
  assert.equal(after.last.headers.get("idempotency-key"), key);
  after.last.answer();
  await settled();
  await after.transport.close();

  const takenBack = new Scripted(options);
  const again = assert.rejects(takenBack.transport.connect(), { code: "interrupted" });
  await settled();
  takenBack.last.fail();
  await again;

  const forbidden = new Scripted({ ...options, url: "https://never.test/chat", allowReplay: false });
  const refused = assert.rejects(forbidden.transport.connect(), { status: 503 });
  await settled();
  forbidden.last.answer(503, { "perennial-starts": "once" });
  await refused;
});

for (const [field, value, wait] of [
  ["retry-after", "", 1000], ["retry-after", "soon", 1000], ["retry-after", "-5", 1000], ["retry-after", "1.5", 1000],
  ["retry-after", "2026", 2_026_000], ["retry-after-ms", "2500", 2500], ["retry-after-ms", "", 1000],
] as const) {
  test(`A 503 with ${field}: ${JSON.stringify(value)} is tried again after ${wait} ms`, async () => {
    const scripted = new Scripted({ reconnect: { jitter: false } });
    scripted.transport.connect().catch(() => {});
    await settled();
    scripted.last.answer(503, { [field]: value });
    await scripted.clock.advance(wait - 1);
    assert.equal(scripted.requests.length, 1);
    await scripted.clock.advance(1);
    assert.equal(scripted.requests.length, 2);
    await scripted.transport.close();
  });
}

test("A response without a stream is read whole, as that of React Native, and is complete only with its content", async () => {
  const text = "id: 1\ndata: one\n\nid: 2\ndata: two\n\n";
  const response = { ok: true, status: 200, url: "", redirected: false, headers: new Headers({ "content-type": "text/event-stream" }), body: undefined, text: async () => text };
  const transport = createTransport({ url: "http://x.test/", services: { fetch: async () => response as unknown as Response } });
  assert.deepEqual(await readAll(transport), ["one", "two"]);
  assert.equal(transport.getMetrics().bytesReceived, text.length);
});

test("The fetch of Node has no limit of its own on silence: idleTimeout alone says how much is too much", async () => {
  const key = Symbol.for("undici.globalDispatcher.1");
  const globals = globalThis as unknown as Record<symbol, { dispatch(options: object, handler: object): boolean }>;
  const seen: object[] = [];
  await using server = await serve((_, response) => void response.writeHead(200, { "content-type": "text/event-stream" }).end("data: x\n\n"));
  await fetch(server.url);
  const real = globals[key]!;
  Object.assign(real, { dispatch: (options: object, handler: object) => (seen.push(options), Object.getPrototypeOf(real).dispatch.call(real, options, handler)) });
  try {
    assert.deepEqual(await readAll(createTransport({ url: server.url })), ["x"]);
  } finally {
    delete (real as { dispatch?: unknown }).dispatch;
  }
  const { bodyTimeout, headersTimeout } = seen[0] as { bodyTimeout?: number; headersTimeout?: number };
  assert.deepEqual({ bodyTimeout, headersTimeout }, { bodyTimeout: 0, headersTimeout: 0 });
});
