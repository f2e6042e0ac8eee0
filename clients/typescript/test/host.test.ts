import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";

const lost = async (scripted: Scripted) => {
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.last.fail();
  await settled();
};

for (const name of ["online", "visibilitychange", "pageshow"]) {
  test(`${name} ends the wait before the next attempt at once`, async () => {
    const scripted = new Scripted();
    await lost(scripted);
    scripted.host.dispatchEvent(new Event(name));
    await settled();
    assert.equal(scripted.requests.length, 2);
    await scripted.transport.close();
  });
}

test("After a sleep, a connection whose silence passed its limit is replaced at once", async () => {
  const scripted = new Scripted({ idleTimeout: 60_000 });
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.last.answer().write("id: 3\ndata: x\n\n");
  await settled();
  scripted.clock.sleep(3_600_000);
  assert.equal(scripted.transport.state, "connected");
  scripted.host.dispatchEvent(new Event("visibilitychange"));
  await settled();
  assert.equal(scripted.transport.state, "reconnecting");
  scripted.host.dispatchEvent(new Event("online"));
  await settled();
  assert.equal(scripted.requests.length, 2);
  assert.equal(scripted.last.headers.get("last-event-id"), "3");
  await scripted.transport.close();
});

test("After a sleep, an attempt whose time is over is given up at once", async () => {
  const scripted = new Scripted();
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.host.dispatchEvent(new Event("visibilitychange"));
  await settled();
  assert.equal(scripted.transport.state, "connecting");
  scripted.clock.sleep(3_600_000);
  scripted.host.dispatchEvent(new Event("visibilitychange"));
  await settled();
  assert.equal(scripted.transport.state, "reconnecting");
  assert.equal(scripted.transport.getMetrics().lastError?.code, "connect-timeout");
  await scripted.transport.close();
});

test("A short sleep keeps the connection", async () => {
  const scripted = new Scripted({ idleTimeout: 60_000 });
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.last.answer();
  await settled();
  scripted.clock.sleep(30_000);
  scripted.host.dispatchEvent(new Event("visibilitychange"));
  await settled();
  assert.equal(scripted.transport.state, "connected");
  await scripted.transport.close();
});

test("A page that is put away gives up its connection, and goes on when it is shown", async () => {
  const scripted = new Scripted();
  scripted.transport.connect().catch(() => {});
  await settled();
  const { signal } = scripted.last;
  scripted.last.answer().write("id: 3\ndata: x\n\n");
  await settled();
  scripted.host.dispatchEvent(new Event("pagehide"));
  await settled();
  assert.ok(signal.aborted);
  await scripted.clock.advance(600_000);
  assert.equal(scripted.requests.length, 1);
  scripted.host.dispatchEvent(new Event("pageshow"));
  await settled();
  assert.equal(scripted.requests.length, 2);
  assert.equal(scripted.last.headers.get("last-event-id"), "3");
  await scripted.transport.close();
});

test("Without a network no attempt is spent, and the way back is found as soon as there is one", async () => {
  const scripted = new Scripted({ reconnect: { maxAttempts: 2 } });
  scripted.isOffline = true;
  await lost(scripted);
  for (let round = 0; round < 10; round++) {
    await scripted.clock.advance(30_000);
    scripted.last.fail();
    await settled();
  }
  assert.equal(scripted.transport.state, "reconnecting");
  scripted.isOffline = false;
  const before = scripted.requests.length;
  scripted.host.dispatchEvent(new Event("online"));
  await settled();
  assert.equal(scripted.requests.length, before + 1);
  await scripted.transport.close();
});

test("A transport that is over listens to nothing", async () => {
  const scripted = new Scripted();
  let listeners = 0;
  const { addEventListener, removeEventListener } = scripted.host;
  scripted.host.addEventListener = (...each: Parameters<EventTarget["addEventListener"]>) => (listeners++, addEventListener.apply(scripted.host, each));
  scripted.host.removeEventListener = (...each: Parameters<EventTarget["removeEventListener"]>) => (listeners--, removeEventListener.apply(scripted.host, each));
  scripted.transport.connect().catch(() => {});
  assert.ok(listeners > 0);
  await scripted.transport.close();
  assert.equal(listeners, 0);
});
