import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransport } from "../src/long-poll.js";
import { record } from "./support/forms.js";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";

const perennial = { "perennial-protocol": "1", "perennial-heartbeat": "20" };

test("The first poll asks for an answer at once, so that messages can be sent, and the next follows at once to be held", async () => {
  const scripted = new Scripted({}, createTransport);
  const connecting = scripted.transport.connect();
  await settled();
  scripted.last.answer(204, perennial);
  await connecting;
  await settled();
  assert.deepEqual(scripted.requests.map(({ headers }) => headers.get("prefer")), ["wait=0", null]);
  await scripted.transport.close();
});

test("A server of another kind is polled no faster than the interval", async () => {
  const scripted = new Scripted({ interval: 250 }, createTransport);
  const connecting = scripted.transport.connect();
  await settled();
  scripted.last.answer(204);
  await connecting;
  await scripted.clock.advance(249);
  assert.equal(scripted.requests.length, 1);
  await scripted.clock.advance(1);
  assert.equal(scripted.requests.length, 2);
  await scripted.transport.close();
});

test("A page of another origin asks for nothing that its server may not have allowed", async () => {
  Object.defineProperty(globalThis, "location", { value: new URL("https://elsewhere.example/"), configurable: true });
  try {
    const scripted = new Scripted({}, createTransport);
    scripted.transport.connect().catch(() => {});
    await settled();
    assert.equal(scripted.last.headers.get("prefer"), null);
    await scripted.transport.close();
  } finally {
    Reflect.deleteProperty(globalThis, "location");
  }
});

test("A poll held three times as long as the server says is a lost connection", async () => {
  const scripted = new Scripted({}, createTransport);
  const { details } = record(scripted.transport);
  const connecting = scripted.transport.connect();
  await settled();
  scripted.last.answer(204, perennial);
  await connecting;
  await settled();
  await scripted.clock.advance(59_999);
  assert.ok(!details.some((each) => "reconnecting" in each));
  await scripted.clock.advance(1);
  assert.ok(details.some((each) => "reconnecting" in each));
  await scripted.transport.close();
});

const documents: [what: string, pieces: string[], data: string[]][] = [
  ["one value", ['{"a":', "1}"], ['{"a":1}']],
  ["an array, each element a message as it is written", [' [{"a":[1,2.0]}, "t,]wo",', " 3.0]\n"], ['{"a":[1,2.0]}', '"t,]wo"', "3.0"]],
  ["an empty array, nothing yet", ["[]"], []],
  ["one value over many lines", ['{\r\n  "a": 1,\n  "b": 2\n}\n'], ['{\r\n  "a": 1,\n  "b": 2\n}']],
  ["lines, under the name of one value", ['{"a":1}\n{"a"', ':2}\r\n'], ['{"a":1}', '{"a":2}']],
  ["nothing at all", [], []],
];

for (const [what, pieces, data] of documents) {
  test(`A document holds ${what}`, async () => {
    const scripted = new Scripted({ interval: 0 }, createTransport);
    const received: string[] = [];
    scripted.transport.on("event", (message) => received.push(message.data));
    scripted.transport.connect().catch(() => {});
    await settled();
    const body = scripted.last.answer(200, { "content-type": "application/json; charset=utf-8" });
    for (const piece of pieces) body.write(piece);
    body.end();
    await settled();
    assert.deepEqual(received, data);
    assert.equal(scripted.requests.length, 2);
    assert.equal(scripted.transport.getMetrics().errors, 0);
    await scripted.transport.close();
  });
}

test("A document holds envelopes where the server speaks the protocol: the next poll follows the last of them", async () => {
  const scripted = new Scripted({}, createTransport);
  const received: string[] = [];
  scripted.transport.on("event", ({ id, type, data }) => received.push(`${id} ${type} ${data}`));
  scripted.transport.connect().catch(() => {});
  await settled();
  const body = scripted.last.answer(200, { ...perennial, "content-type": "application/json" });
  body.write('[{"id":"e-1","type":"a","data":"x"},\n {"id":"e-2","data":{"n":1.0}}]');
  body.end();
  await settled();
  assert.deepEqual(received, ["e-1 a x", 'e-2 message {"n":1.0}']);
  assert.equal(scripted.last.headers.get("last-event-id"), "e-2");
  await scripted.transport.close();
});

test("A document that is too large or damaged is told", async () => {
  const scripted = new Scripted({ interval: 0, maxMessageLength: 20 }, createTransport);
  scripted.transport.connect().catch(() => {});
  await settled();
  const damaged = scripted.last.answer(200, { "content-type": "application/json" });
  damaged.write('{"a":');
  damaged.end();
  await settled();
  assert.equal(scripted.transport.getMetrics().lastError?.code, "invalid-message");
  scripted.last.answer(200, { "content-type": "application/json" }).write(`["${"x".repeat(30)}"]`);
  await settled();
  assert.equal((await scripted.transport.completion).error?.code, "message-too-large");
});
