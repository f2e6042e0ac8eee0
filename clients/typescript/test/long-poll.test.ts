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
