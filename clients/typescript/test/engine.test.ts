import assert from "node:assert/strict";
import { test } from "node:test";
import { TransportError } from "../src/errors.js";
import { createTransport as createHttpStream } from "../src/http-stream.js";
import { createTransport } from "../src/index.js";
import { record } from "./support/forms.js";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";

const perennial = { "perennial-protocol": "1" };

test("Waits min(initial x multiplier^(n-1), max) before attempt n, and gives up after the attempts allowed", async () => {
  const scripted = new Scripted({ reconnect: { jitter: false, maxAttempts: 4, maxDelay: 3000 } });
  const { details, names } = record(scripted.transport);
  const connecting = scripted.transport.connect();
  const failed = assert.rejects(connecting, { code: "attempts-exhausted" });
  for (const delay of [0, 1000, 2000, 3000, 3000]) {
    await scripted.clock.advance(delay);
    scripted.last.fail();
    await settled();
  }
  await failed;
  assert.equal(scripted.requests.length, 5);
  assert.deepEqual(details.flatMap((each) => ("reconnecting" in each ? [(each["reconnecting"] as { delay: number }).delay] : [])), [1000, 2000, 3000, 3000]);
  assert.equal(names.at(-1), "closed");
  assert.equal(scripted.transport.state, "failed");
  assert.equal(scripted.clock.pending, 0);
});

test("Jitter spreads a wait between half of it and all of it", async () => {
  for (const [random, delay] of [[0, 1000], [0.5, 750], [0.98, 510]] as const) {
    const scripted = new Scripted();
    scripted.clock.random = random;
    const { details } = record(scripted.transport);
    scripted.transport.connect().catch(() => {});
    await settled();
    scripted.last.fail();
    await settled();
    assert.deepEqual(details.find((each) => "reconnecting" in each), { reconnecting: { attempt: 1, delay, maxAttempts: 5 } });
    await scripted.transport.close();
  }
});

test("A handshake is no progress: a server that accepts and drops at once exhausts the attempts", async () => {
  const scripted = new Scripted({ reconnect: { jitter: false, initialDelay: 1, multiplier: 1, maxAttempts: 3 } });
  scripted.transport.connect().catch(() => {});
  for (let round = 0; round < 4; round++) {
    await scripted.clock.advance(1);
    scripted.last.answer().break();
    await settled();
  }
  assert.equal(scripted.transport.state, "failed");
  assert.equal((await scripted.transport.completion).error?.code, "attempts-exhausted");
});

test("A new message that can be resumed after is progress, and so is a connection that stood", async () => {
  const scripted = new Scripted({ reconnect: { jitter: false, initialDelay: 1, multiplier: 1, maxAttempts: 1 } });
  scripted.transport.connect().catch(() => {});
  for (let round = 0; round < 3; round++) {
    await scripted.clock.advance(1);
    const body = scripted.last.answer();
    body.write(`id: ${round}\ndata: x\n\n`);
    await settled();
    body.break();
    await settled();
  }
  for (let round = 0; round < 3; round++) {
    await scripted.clock.advance(1);
    const body = scripted.last.answer();
    await scripted.clock.advance(10_000);
    body.break();
    await settled();
  }
  assert.equal(scripted.transport.state, "reconnecting");
  assert.equal(scripted.requests.length, 6);
  await scripted.transport.close();
});

for (const [what, text] of [["without an id", "data: x\n\n"], ["that comes again", "id: 1\ndata: x\n\n"]] as const) {
  test(`A message ${what} is no progress: a stream that sends one and breaks, for ever, is given up`, async () => {
    const scripted = new Scripted({ reconnect: { jitter: false, initialDelay: 1, multiplier: 1, maxAttempts: 2 } });
    scripted.transport.connect().catch(() => {});
    for (let round = 0; scripted.transport.state != "failed"; round++) {
      assert.ok(round < 5);
      await scripted.clock.advance(1);
      const body = scripted.last.answer();
      body.write(text);
      await settled();
      body.break();
      await settled();
    }
    assert.equal((await scripted.transport.completion).error?.code, "attempts-exhausted");
  });
}

test("A server may name no first wait below 250 ms, unless the options do", async () => {
  for (const [initialDelay, delay] of [[1000, 250], [40, 40]] as const) {
    const scripted = new Scripted({ reconnect: { jitter: false, initialDelay } });
    const { details } = record(scripted.transport);
    scripted.transport.connect().catch(() => {});
    await settled();
    const body = scripted.last.answer();
    body.write("retry: 0\nid: 1\ndata: x\n\n");
    await settled();
    body.break();
    await settled();
    assert.deepEqual(details.find((each) => "reconnecting" in each), { reconnecting: { attempt: 1, delay, maxAttempts: 5 } });
    await scripted.transport.close();
  }
});

test("The server's retry takes the place of the first wait", async () => {
  const scripted = new Scripted({ reconnect: { jitter: false } });
  const { details } = record(scripted.transport);
  scripted.transport.connect().catch(() => {});
  await settled();
  const body = scripted.last.answer();
  body.write("retry: 400\nid: 1\ndata: x\n\n");
  await settled();
  body.break();
  await settled();
  assert.deepEqual(details.find((each) => "reconnecting" in each), { reconnecting: { attempt: 1, delay: 400, maxAttempts: 5 } });
  await scripted.transport.close();
});

test("Retry-After is a floor for the wait, in seconds or as a date, even above the longest delay", async () => {
  for (const value of ["90", new Date(1_000_000 + 90_000).toUTCString()]) {
    const scripted = new Scripted();
    scripted.transport.connect().catch(() => {});
    await settled();
    scripted.last.answer(503, { "retry-after": value });
    await scripted.clock.advance(89_000);
    scripted.host.dispatchEvent(new Event("online"));
    await settled();
    assert.equal(scripted.requests.length, 1);
    await scripted.clock.advance(1_001);
    assert.equal(scripted.requests.length, 2);
    await scripted.transport.close();
  }
});

test("A Retry-After beyond its limit ends the stream", async () => {
  const scripted = new Scripted();
  const failed = assert.rejects(scripted.transport.connect(), { code: "retry-after-too-long", retryAfter: 7_200_000 });
  await settled();
  scripted.last.answer(429, { "retry-after": "7200" });
  await failed;
});

test("A status that retrying does not mend is final at once; shouldRetry has the last word", async () => {
  const scripted = new Scripted();
  const failed = assert.rejects(scripted.transport.connect(), { code: "http-status", status: 404 });
  await settled();
  scripted.last.answer(404);
  await failed;
  const stubborn = new Scripted({ reconnect: { shouldRetry: ({ error }) => error.status == 404 } });
  stubborn.transport.connect().catch(() => {});
  await settled();
  stubborn.last.answer(404);
  await stubborn.clock.advance(1000);
  assert.equal(stubborn.requests.length, 2);
  await stubborn.transport.close();
});

test("A 401 asks configureRequest once for fresh credentials, and is final then", async () => {
  const asked: boolean[] = [];
  const scripted = new Scripted({ configureRequest: ({ headers }, { rejected }) => {
    asked.push(rejected);
    headers.set("authorization", rejected ? "new" : "old");
  } });
  const failed = assert.rejects(scripted.transport.connect(), { status: 401 });
  await settled();
  assert.equal(scripted.last.headers.get("authorization"), "old");
  scripted.last.answer(401);
  await settled();
  assert.equal(scripted.last.headers.get("authorization"), "new");
  scripted.last.answer(401);
  await failed;
  assert.deepEqual(asked, [false, true]);
});

test("Resumes after the last complete event, never after half of one", async () => {
  const scripted = new Scripted();
  scripted.transport.connect().catch(() => {});
  await settled();
  assert.equal(scripted.last.headers.get("last-event-id"), null);
  const body = scripted.last.answer();
  body.write("id: a-1\ndata: x\n\nid: a-2\ndata: half");
  await settled();
  body.break();
  await scripted.clock.advance(1000);
  assert.equal(scripted.last.headers.get("last-event-id"), "a-1");
  assert.equal(scripted.transport.lastEventId, "a-1");
  await scripted.transport.close();
});

test("Where the server does not number its events, a resume is announced as a gap, and the next message bears it", async () => {
  const scripted = new Scripted();
  const { details } = record(scripted.transport);
  const reading = scripted.transport.read();
  const first = reading.next();
  await settled();
  const body = scripted.last.answer();
  body.write("data: x\n\n");
  assert.equal((await first).value?.followsGap, false);
  body.break();
  await scripted.clock.advance(1000);
  scripted.last.answer().write("data: y\n\ndata: z\n\n");
  assert.equal((await reading.next()).value?.followsGap, true);
  assert.equal((await reading.next()).value?.followsGap, false);
  assert.deepEqual(details.filter((each) => "gap" in each), [{ gap: { reason: "not-numbered", requested: undefined, resumesAt: undefined } }]);
  await scripted.transport.close();
});

test("A gap that the server announces is told, and moves no cursor", async () => {
  const scripted = new Scripted({ lastEventId: "a-7" });
  const { details } = record(scripted.transport);
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.last.answer(200, perennial).write('event: perennial.gap\ndata: {"requested":"a-7","resumesAt":"b-1"}\n\n');
  await settled();
  assert.equal(scripted.transport.lastEventId, "a-7");
  assert.deepEqual(details.at(-1), { gap: { reason: "announced", requested: "a-7", resumesAt: "b-1" } });
  await scripted.transport.close();
});

test("A POST is never sent twice: lost after the answer, it is interrupted", async () => {
  const scripted = new Scripted({ body: { prompt: "hi" } });
  const failed = assert.rejects(async () => {
    for await (const message of scripted.transport) assert.equal(message.data, "x");
  }, { code: "interrupted" });
  await settled();
  assert.equal(scripted.last.method, "POST");
  assert.equal(scripted.last.headers.get("content-type"), "application/json");
  const body = scripted.last.answer();
  body.write("id: 1\ndata: x\n\n");
  await settled();
  body.break();
  await failed;
  assert.equal(scripted.requests.length, 1);
  assert.equal((await scripted.transport.completion).reason, "interrupted");
});

test("Not even shouldRetry repeats what must not be repeated", async () => {
  const scripted = new Scripted({ body: "hi", reconnect: { shouldRetry: () => true } });
  const failed = assert.rejects(scripted.transport.connect(), { code: "interrupted" });
  await settled();
  scripted.last.fail();
  await failed;
  assert.equal(scripted.requests.length, 1);
});

test("A request that was refused for want of credentials did nothing, however long fresh ones take", async () => {
  const scripted = new Scripted({
    body: "hi",
    reconnect: { jitter: false },
    configureRequest: (_, { rejected }) => (rejected && scripted.requests.length == 1 ? new Promise(() => {}) : undefined),
  });
  const connecting = scripted.transport.connect();
  await settled();
  scripted.last.answer(401);
  await scripted.clock.advance(31_000);
  assert.equal(scripted.requests.length, 2);
  scripted.last.answer();
  await connecting;
  await scripted.transport.close();
});

test("A send says truly what is known of it: refused is not sent, lost is unknown, and every try has the same key", async () => {
  const scripted = new Scripted({ reconnect: { jitter: false, maxAttempts: 1 } });
  await Promise.all([scripted.transport.connect(), settled().then(() => scripted.last.answer(200, perennial))]);
  const refused = assert.rejects(scripted.transport.send("a"), { code: "send-rejected", status: 409, delivery: "not-sent" });
  await settled();
  scripted.last.answer(409);
  await refused;

  const unsent = assert.rejects(scripted.transport.send("b"), { code: "attempts-exhausted", delivery: "not-sent" });
  await settled();
  scripted.last.fail("ECONNREFUSED");
  await scripted.clock.advance(1000);
  scripted.last.fail("ECONNREFUSED");
  await unsent;

  const unknown = assert.rejects(scripted.transport.send("c"), { code: "attempts-exhausted", delivery: "unknown" });
  await settled();
  const key = scripted.last.headers.get("idempotency-key");
  scripted.last.fail();
  await scripted.clock.advance(1000);
  assert.match(key!, /^"\d+(-\d+){3}"$/);
  assert.equal(scripted.last.headers.get("idempotency-key"), key);
  scripted.last.fail("ECONNREFUSED");
  await unknown;

  const late = assert.rejects(scripted.transport.send("d"), { delivery: "unknown" });
  await scripted.clock.advance(61_000);
  await late;
  const open = assert.rejects(scripted.transport.send("e"), { code: "not-connected", delivery: "unknown" });
  const waiting = assert.rejects(scripted.transport.send("f"), { code: "not-connected", delivery: "not-sent" });
  await settled();
  await scripted.transport.close();
  await Promise.all([open, waiting]);
  assert.equal(scripted.clock.pending, 0);
});

test("A full send queue refuses at once, and a message taken back gives its place free", async () => {
  const scripted = new Scripted({ send: { queueCapacity: 1 } });
  const back = new AbortController();
  const first = assert.rejects(scripted.transport.send("a", { signal: back.signal }), { name: "AbortError" });
  await assert.rejects(scripted.transport.send("b"), { code: "send-queue-full", delivery: "not-sent" });
  back.abort();
  await first;
  const third = scripted.transport.send("c").catch(() => {});
  await scripted.transport.close();
  await third;
});

test("perennial.retry takes the place of the first wait, and damage in it does no harm", async () => {
  const scripted = new Scripted({ reconnect: { jitter: false } }, createHttpStream);
  const { details } = record(scripted.transport);
  scripted.transport.connect().catch(() => {});
  await settled();
  const body = scripted.last.answer(200, { ...perennial, "content-type": "application/x-ndjson" });
  body.write('{"type":"perennial.retry","data":{"delay":700}}\n{"type":"perennial.retry","data":"oops"}\n');
  await settled();
  body.break();
  await settled();
  assert.deepEqual(details.find((each) => "reconnecting" in each), { reconnecting: { attempt: 1, delay: 700, maxAttempts: 5 } });
  await scripted.transport.close();
});

test("A POST without an answer is interrupted, unless the connection was refused", async () => {
  const lost = new Scripted({ body: "hi" });
  const failed = assert.rejects(lost.transport.connect(), { code: "interrupted" });
  await settled();
  lost.last.fail();
  await failed;
  const late = new Scripted({ body: "hi" });
  const timedOut = assert.rejects(late.transport.connect(), { code: "interrupted" });
  await late.clock.advance(30_000);
  await timedOut;
  const refused = new Scripted({ body: "hi" });
  refused.transport.connect().catch(() => {});
  await settled();
  refused.last.fail("ECONNREFUSED");
  await refused.clock.advance(1000);
  assert.equal(refused.requests.length, 2);
  await refused.transport.close();
});

test("A POST goes on by GET where the answer named its resource, at its own origin only", async () => {
  const named = new Scripted({ body: "hi" });
  named.transport.connect().catch(() => {});
  await settled();
  const body = named.last.answer(200, { "content-location": "/streams/9" });
  body.write("id: 1\ndata: x\n\n");
  await settled();
  body.break();
  await named.clock.advance(1000);
  assert.equal(named.last.method, "GET");
  assert.equal(named.last.url, "https://example.com/streams/9");
  assert.equal(named.last.headers.get("last-event-id"), "1");
  await named.transport.close();

  const foreign = new Scripted({ body: "hi" });
  const failed = assert.rejects(async () => {
    for await (const message of foreign.transport) void message;
  }, { code: "interrupted" });
  await settled();
  foreign.last.answer(200, { "content-location": "https://evil.example/streams/9" }).break();
  await failed;
});

test("allowReplay repeats a POST, but hands out no restart of a stream without ids", async () => {
  const scripted = new Scripted({ body: "hi", allowReplay: true });
  const failed = assert.rejects(async () => {
    for await (const message of scripted.transport) void message;
  }, { code: "interrupted" });
  await settled();
  scripted.last.fail();
  await scripted.clock.advance(1000);
  assert.equal(scripted.requests.length, 2);
  const body = scripted.last.answer();
  body.write("data: x\n\n");
  await settled();
  body.break();
  await failed;
});

test("A clean end is the end, a loss, or time to come back, as the caller says; a Perennial server must mark it", async () => {
  const complete = new Scripted();
  complete.transport.connect().catch(() => {});
  await settled();
  complete.last.answer().end();
  assert.deepEqual(await complete.transport.completion, { reason: "completed" });

  for (const [options, headers] of [[{ endOfStream: "require-marker" }, {}], [{ endOfStream: "reconnect" }, {}], [{}, perennial]] as const) {
    const scripted = new Scripted(options);
    const { details } = record(scripted.transport);
    scripted.transport.connect().catch(() => {});
    await settled();
    scripted.last.answer(200, headers).end();
    await settled();
    assert.equal(scripted.transport.state, "reconnecting");
    assert.equal((details.find((each) => "error" in each)?.["error"] as { code: string }).code, "ended-without-marker");
    await scripted.transport.close();
  }
});

test("[DONE] ends an ordinary stream, and is data on a Perennial one", async () => {
  const plain = new Scripted();
  const reading = collect(plain);
  await settled();
  plain.last.answer().write("data: x\n\ndata: [DONE]\n\ndata: never\n\n");
  assert.deepEqual(await reading, ["x"]);

  const perennialOne = new Scripted();
  const other = collect(perennialOne);
  await settled();
  perennialOne.last.answer(200, perennial).write("data: [DONE]\n\nevent: perennial.completed\ndata: [DONE]\n\n");
  assert.deepEqual(await other, ["[DONE]"]);
});

test("204 ends the stream for good", async () => {
  const scripted = new Scripted();
  const reading = collect(scripted);
  await settled();
  scripted.last.answer(204);
  assert.deepEqual(await reading, []);
  assert.deepEqual(await scripted.transport.completion, { reason: "completed" });
});

test("Silence counts any byte, and three announced heartbeats of it lose the connection", async () => {
  const scripted = new Scripted();
  const { details } = record(scripted.transport);
  scripted.transport.connect().catch(() => {});
  await settled();
  const body = scripted.last.answer(200, { "perennial-heartbeat": "15" });
  for (let round = 0; round < 4; round++) {
    await scripted.clock.advance(44_000);
    body.write(":\n");
  }
  assert.equal(scripted.transport.state, "connected");
  await scripted.clock.advance(45_000);
  assert.equal((details.find((each) => "error" in each)?.["error"] as { code: string }).code, "idle-timeout");
  await scripted.transport.close();
  assert.equal(scripted.clock.pending, 0);
});

test("Our own silence does not count: a full buffer or a pause keeps the connection", async () => {
  const scripted = new Scripted({ idleTimeout: 1000, buffer: { capacity: 1 } });
  scripted.transport.connect().catch(() => {});
  await settled();
  const body = scripted.last.answer();
  body.write("id: 1\ndata: x\n\n");
  await scripted.clock.advance(60_000);
  assert.equal(scripted.transport.state, "connected");
  scripted.transport.pause();
  await scripted.clock.advance(60_000);
  assert.equal(scripted.transport.state, "connected");
  await scripted.transport.close();
});

test("Block reads nothing while the buffer is full, and a pause hands over nothing", async () => {
  const scripted = new Scripted({ buffer: { capacity: 2 } });
  const { names } = record(scripted.transport);
  scripted.transport.connect().catch(() => {});
  await settled();
  const body = scripted.last.answer();
  body.write("data: 1\n\ndata: 2\n\n");
  await settled();
  const pulls = body.pulls;
  body.write("data: 3\n\n");
  await settled();
  assert.equal(body.pulls, pulls);
  assert.deepEqual(names.filter((name) => name == "backpressure"), ["backpressure"]);
  const reading = scripted.transport.read();
  assert.equal((await reading.next()).value?.data, "1");
  scripted.transport.pause();
  let isDone = false;
  const next = reading.next().then(({ value }) => ((isDone = true), value?.data));
  await settled();
  assert.equal(isDone, false);
  scripted.transport.resume();
  assert.equal(await next, "2");
  assert.equal((await reading.next()).value?.data, "3");
  assert.ok(names.includes("drain"));
  await scripted.transport.close();
});

for (const [fullMode, expected, dropped] of [["drop-oldest", ["3", "4"], 2], ["drop-newest", ["1", "2"], 2], ["unlimited", ["1", "2", "3", "4"], 0]] as const) {
  test(`A buffer that is full and told ${fullMode} keeps ${expected}`, async () => {
    const scripted = new Scripted({ buffer: { capacity: 2, fullMode } });
    const { details } = record(scripted.transport);
    scripted.transport.connect().catch(() => {});
    await settled();
    scripted.last.answer().write("data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\ndata: [DONE]\n\n");
    await settled();
    assert.deepEqual(await collect(scripted), expected);
    assert.equal(scripted.transport.getMetrics().dropped, dropped);
    assert.equal(details.filter((each) => "dropped" in each).length, dropped);
  });
}

test("Events come in order, the end behind the messages before it, and a slow handler holds the next one back", async () => {
  const scripted = new Scripted();
  const seen: string[] = [];
  let release = () => {};
  scripted.transport.on("event", ({ data }) => {
    seen.push(data);
    return new Promise<void>((resolve) => (release = resolve));
  });
  scripted.transport.on("done", () => seen.push("done"));
  scripted.transport.on("closed", () => seen.push("closed"));
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.last.answer().write("data: 1\n\ndata: 2\n\ndata: [DONE]\n\n");
  await settled();
  assert.deepEqual(seen, ["1"]);
  release();
  await settled();
  assert.deepEqual(seen, ["1", "2"]);
  release();
  await settled();
  assert.deepEqual(seen, ["1", "2", "done", "closed"]);
});

test("A handler that throws is logged and counted, and touches nothing else", async (context) => {
  context.mock.method(console, "error", () => {});
  const scripted = new Scripted();
  scripted.transport.on("connected", () => {
    throw new Error("a bug");
  });
  await Promise.all([scripted.transport.connect(), settled().then(() => scripted.last.answer())]);
  assert.equal(scripted.transport.getMetrics().handlerErrors, 1);
  assert.equal(scripted.transport.isConnected, true);
  await scripted.transport.close();
});

test("Messages have one consumer", async () => {
  const scripted = new Scripted();
  const off = scripted.transport.on("event", () => {});
  await assert.rejects(scripted.transport.read().next(), TypeError);
  off();
  void scripted.transport.read().next();
  await settled();
  assert.throws(() => scripted.transport.on("event", () => {}), TypeError);
  await scripted.transport.close();
});

test("An error in the stream is announced as recoverable, and delivered; half a JSON is nobody's business", async () => {
  const scripted = new Scripted();
  const { details } = record(scripted.transport);
  const reading = collect(scripted);
  await settled();
  scripted.last.answer().write('data: {"type":"error","error":{"message":"slow down","code":"rate"}}\n\ndata: {"error\n\ndata: [DONE]\n\n');
  assert.equal((await reading).length, 2);
  const { error, recoverable } = details.find((each) => "error" in each)!["error"] as { error: TransportError; recoverable: boolean };
  assert.equal(recoverable, true);
  assert.equal(error.serverCode, "rate");
  assert.ok(!error.message.includes("slow"));
});

test("A message that is too large ends the stream, behind the good ones before it", async () => {
  const scripted = new Scripted({ maxMessageLength: 100 });
  const seen: string[] = [];
  const failed = assert.rejects(async () => {
    for await (const { data } of scripted.transport) seen.push(data);
  }, { code: "message-too-large" });
  await settled();
  scripted.last.answer().write(`data: small\n\ndata: ${"x".repeat(2000)}`);
  await failed;
  assert.deepEqual(seen, ["small"]);
});

test("What is no event stream is refused", async () => {
  const scripted = new Scripted();
  const failed = assert.rejects(scripted.transport.connect(), { code: "unexpected-content-type" });
  await settled();
  scripted.last.answer(200, { "content-type": "text/html" });
  await failed;
});

test("Closing ends every wait at once, and leaves no timer", async () => {
  for (const prepare of [
    async () => {},
    async (scripted: Scripted) => void scripted.last.answer(),
    async (scripted: Scripted) => scripted.last.fail(),
  ]) {
    const scripted = new Scripted();
    scripted.transport.connect().catch(() => {});
    await settled();
    await prepare(scripted);
    await settled();
    await scripted.transport.close();
    assert.equal(scripted.transport.state, "closed");
    assert.equal(scripted.clock.pending, 0);
    assert.ok(scripted.last.signal.aborted);
  }
});

test("After an ending connect starts again, with fresh attempts and the same resume point", async () => {
  const scripted = new Scripted({ reconnect: false });
  scripted.transport.connect().catch(() => {});
  await settled();
  const body = scripted.last.answer();
  body.write("id: 5\ndata: x\n\n");
  await settled();
  body.break();
  await settled();
  assert.equal(scripted.transport.state, "failed");
  const again = scripted.transport.connect();
  await settled();
  assert.equal(scripted.last.headers.get("last-event-id"), "5");
  scripted.last.answer();
  await again;
  assert.equal(scripted.transport.state, "connected");
  await scripted.transport.close();
});

test("An AbortSignal closes the transport, ends a wait to connect, and ends a reading", async () => {
  const whole = new AbortController();
  const scripted = new Scripted({ signal: whole.signal });
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.last.answer();
  await settled();
  whole.abort();
  await settled();
  assert.equal(scripted.transport.state, "closed");

  const other = new Scripted();
  const wait = new AbortController();
  const connecting = assert.rejects(other.transport.connect({ signal: wait.signal }), { name: "AbortError" });
  await settled();
  wait.abort();
  await connecting;
  await settled();
  assert.equal(other.transport.state, "closed");

  const third = new Scripted();
  const reading = new AbortController();
  const next = assert.rejects(third.transport.read({ signal: reading.signal }).next(), { name: "AbortError" });
  await settled();
  third.last.answer();
  reading.abort();
  await next;
  await settled();
  assert.equal(third.transport.state, "connected");
  await third.transport.close();
});

test("A snapshot is the same object until something changes, and then another, and frozen", async () => {
  const scripted = new Scripted();
  const seen: string[] = [];
  const end = scripted.transport.subscribe(({ state }) => seen.push(state));
  const before = scripted.transport.getSnapshot();
  assert.equal(scripted.transport.getSnapshot(), before);
  assert.ok(Object.isFrozen(before));
  scripted.transport.connect().catch(() => {});
  assert.notEqual(scripted.transport.getSnapshot(), before);
  end();
  await scripted.transport.close();
  assert.deepEqual(seen, ["idle", "connecting"]);
});

test("Options out of range are named", () => {
  for (const [options, name] of [[{ connectTimeout: 0 }, "connectTimeout"], [{ buffer: { capacity: 0 } }, "buffer.capacity"], [{ reconnect: { multiplier: NaN } }, "reconnect.multiplier"]] as const) {
    assert.throws(() => createTransport({ url: "http://x/", ...options }), (error: Error) => error instanceof RangeError && error.message.startsWith(name));
  }
  assert.throws(() => createTransport({ url: "http://x/", transport: "pigeon" as never }), TypeError);
  assert.throws(() => createTransport({ url: "http://x/", method: "GET", body: "x" }), TypeError);
});

test("No error holds the query of its URL", async () => {
  const scripted = new Scripted({ reconnect: false });
  const error = await Promise.all([scripted.transport.connect().catch((each: Error) => each), settled().then(() => scripted.last.fail())]);
  assert.ok(!(error[0] as Error).message.includes("secret"));
});

async function collect({ transport }: Scripted): Promise<string[]> {
  const received: string[] = [];
  for await (const { data } of transport) received.push(data);
  return received;
}
