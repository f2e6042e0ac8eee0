import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransport as createLongPoll } from "../src/long-poll.js";
import type { TransportKind, TransportOptions } from "../src/types.js";
import { connectTo } from "./support/forms.js";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";
import { StreamServer } from "./support/stream-server.js";

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;
const forms: TransportKind[] = ["sse", "websocket", "http-stream", "long-poll"];

for (const kind of forms) {
  test(`${kind}: a value that cannot be sent is refused by name, and touches nothing else`, async () => {
    await using server = await new StreamServer().listen();
    const transport = connectTo(kind, server.url);
    assert.equal(await transport.sendJson({ good: 1 }), "acknowledged");
    await assert.rejects(transport.sendJson(undefined), { name: "TypeError", message: "sendJson takes a value of JSON, not undefined." });
    await assert.rejects(transport.sendJson(() => {}), { name: "TypeError", message: "sendJson takes a value of JSON, not function." });
    await assert.rejects(transport.sendJson(1n), { name: "TypeError" });
    await assert.rejects(transport.sendJson(cycle), { name: "TypeError" });
    await assert.rejects(transport.send({ a: 1 } as never), { name: "TypeError", message: "send takes a string or a Uint8Array, not Object. For other values there is sendJson." });
    await assert.rejects(transport.send(undefined as never), { name: "TypeError" });
    assert.equal(await transport.send("later"), "acknowledged");
    assert.deepEqual(server.taken, ['{"good":1}', "later"]);
    await transport.close();
  });
}

const unknown = { code: "connect-failed", delivery: "unknown" };

async function postTwice(options: Partial<TransportOptions>, headers: Record<string, string>): Promise<number> {
  const scripted = new Scripted({ reconnect: { jitter: false }, ...options });
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.last.answer(200, headers);
  await settled();
  scripted.transport.send("pay").catch(() => {});
  await settled();
  scripted.last.fail("ECONNRESET");
  await scripted.clock.advance(1000);
  const posts = scripted.requests.filter(({ method }) => method == "POST").length;
  await scripted.transport.close();
  return posts;
}

test("A message whose answer was lost is posted again only to a server that recognizes it, or where the caller allows it", async () => {
  const perennial = { "perennial-protocol": "1" };
  assert.equal(await postTwice({}, {}), 1);
  assert.equal(await postTwice({ sendUrl: "/messages" }, {}), 1);
  assert.equal(await postTwice({ sendUrl: "/messages" }, perennial), 1);
  assert.equal(await postTwice({}, perennial), 2);
  assert.equal(await postTwice({ sendUrl: "/messages", allowReplay: true }, {}), 2);
});

test("long-poll: a server that was known before the line broke is known while its next answer is held back", async () => {
  const scripted = new Scripted({ reconnect: { jitter: false, initialDelay: 1000 }, connectTimeout: 10_000 }, createLongPoll);
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.last.answer(200, { "content-type": "application/json", "perennial-protocol": "1" }).write("[]");
  await settled();
  scripted.transport.close().catch(() => {});
  await settled();
  scripted.transport.connect().catch(() => {});
  await scripted.clock.advance(5000);
  scripted.transport.send("pay").catch(() => {});
  await settled();
  scripted.last.fail("ECONNRESET");
  await scripted.clock.advance(1000);
  assert.equal(scripted.requests.filter(({ method }) => method == "POST").length, 2);
  await scripted.transport.close();
});

test("A message that may have arrived, and is not posted again, ends as unknown", async () => {
  const scripted = new Scripted({ sendUrl: "/messages" });
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.last.answer();
  await settled();
  const lost = assert.rejects(scripted.transport.send("pay"), unknown);
  await settled();
  scripted.last.fail("ECONNRESET");
  await lost;
  assert.equal(scripted.requests.length, 2);
  await scripted.transport.close();
});

test("An acknowledgement is progress: a stream without messages goes on while what is sent arrives", async () => {
  const scripted = new Scripted({ reconnect: { jitter: false, maxAttempts: 1 } });
  scripted.transport.connect().catch(() => {});
  for (let round = 0; round < 4; round++) {
    await settled();
    const body = scripted.last.answer(200, { "perennial-protocol": "1" });
    await settled();
    const sent = scripted.transport.send(`${round}`);
    await settled();
    scripted.last.answer(202);
    assert.equal(await sent, "acknowledged");
    assert.equal(scripted.transport.getSnapshot().attempt, 0);
    body.break();
    await scripted.clock.advance(1000);
  }
  assert.equal(scripted.requests.length, 9);
  await scripted.transport.close();
});
