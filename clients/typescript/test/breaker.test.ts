import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { createBreaker } from "../src/breaker.js";
import { createManager } from "../src/manager.js";
import { settled } from "./support/manual-clock.js";

const never = new AbortController().signal;
const failure = false;
const options = { failures: 3, samplingTime: 10_000, breakTime: 1_000, maxBreakTime: 3_000 };

function clockOf({ mock }: TestContext) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  mock.method(performance, "now", Date.now);
  return mock.timers;
}

/** Whether it is allowed now. */
async function isAdmitted(admission: Promise<boolean>): Promise<boolean> {
  let result = false;
  admission.then(() => (result = true), () => {});
  await settled();
  return result;
}

function opened() {
  const breaker = createBreaker(options);
  for (let round = 0; round < 3; round++) breaker.record(failure, false);
  return breaker;
}

test("Opens after repeated failures that are at least half of all, within the time", (context) => {
  const clock = clockOf(context);
  const mostlyWell = createBreaker(options);
  for (const result of [true, true, true, true, failure, failure, failure] as const) mostlyWell.record(result, false);
  assert.equal(mostlyWell.state, "closed");
  const slow = createBreaker(options);
  for (let round = 0; round < 5; round++) {
    slow.record(failure, false);
    clock.tick(5_000);
  }
  assert.equal(slow.state, "closed");
  const leaving = createBreaker(options);
  for (let round = 0; round < 5; round++) leaving.record(undefined, false);
  assert.equal(leaving.state, "closed");
  assert.equal(opened().state, "open");
});

test("Lets one probe when the wait is over, and all when it succeeds", async (context) => {
  const clock = clockOf(context);
  const breaker = opened();
  const first = breaker.admit(never);
  const second = breaker.admit(never);
  assert.equal(await isAdmitted(first), false);
  clock.tick(1_000);
  assert.equal(await first, true);
  assert.equal(await isAdmitted(second), false);
  assert.equal(breaker.state, "probing");
  breaker.record(true, true);
  assert.equal(await second, false);
  assert.equal(await breaker.admit(never), false);
  assert.equal(breaker.state, "closed");
});

test("A probe that fails costs those that wait nothing, and the next wait is longer, up to its limit", async (context) => {
  const clock = clockOf(context);
  const breaker = opened();
  let probes = 0;
  let admitted = 0;
  for (let each = 0; each < 6; each++) void breaker.admit(never).then((isProbe) => (isProbe ? probes++ : admitted++));
  for (const [round, wait] of [1_000, 2_000, 3_000, 3_000].entries()) {
    await settled();
    clock.tick(wait - 1);
    await settled();
    assert.equal(probes, round, `before ${wait}`);
    clock.tick(1);
    await settled();
    assert.equal(probes, round + 1);
    breaker.record(failure, true);
    assert.equal(breaker.state, "open");
  }
  assert.equal(admitted, 0);
  clock.tick(3_000);
  await settled();
  breaker.record(true, true);
  await settled();
  assert.deepEqual([probes, admitted], [5, 1]);
});

test("Stays closed while a connection stands", () => {
  const breaker = createBreaker(options);
  const gone = breaker.stands();
  for (let round = 0; round < 5; round++) breaker.record(failure, false);
  assert.equal(breaker.state, "closed");
  gone();
  breaker.record(failure, false);
  assert.equal(breaker.state, "open");
});

test("A probe that is given up lets the next one probe at once, and one that says nothing only for a time", async (context) => {
  const clock = clockOf(context);
  const breaker = opened();
  clock.tick(1_000);
  assert.equal(await breaker.admit(never), true);
  const next = breaker.admit(never);
  await settled();
  breaker.record(undefined, true);
  assert.equal(await next, true);
  const last = breaker.admit(never);
  await settled();
  clock.tick(60_000);
  assert.equal(await last, true);
});

test("A wait ends when its transport is closed", async (context) => {
  clockOf(context);
  const breaker = opened();
  const stop = new AbortController();
  const waiting = breaker.admit(stop.signal);
  stop.abort(new Error("closed"));
  await assert.rejects(waiting, { message: "closed" });
});

test("In each break and beside each probe one transport of another path may connect", async (context) => {
  const clock = clockOf(context);
  const breaker = createBreaker(options);
  for (let round = 0; round < 3; round++) breaker.record(failure, false, "/hangs");
  const same = breaker.admit(never, "/hangs");
  assert.equal(await isAdmitted(same), false);
  assert.equal(await breaker.admit(never, "/other"), false);        // at once, and no probe
  assert.equal(breaker.state, "open");
  const later = breaker.admit(never, "/third");
  assert.equal(await isAdmitted(later), false);
  breaker.record(failure, false, "/other");
  assert.equal(breaker.state, "open");
  clock.tick(1_000);
  assert.equal(await same, true);
  assert.equal(await later, false);                                 // beside the probe
  breaker.record(true, false, "/third");
  assert.equal(breaker.state, "closed");
});

/** A server that answers nothing until it is told that it is well, except at /sick, where it always refuses. */
async function sickServer(): Promise<Server & { requests: number; isWell: boolean; url: string }> {
  const server = Object.assign(createServer(({ url }, response) => {
    server.requests++;
    if (url == "/sick") response.writeHead(503).end();
    else if (server.isWell) response.writeHead(200, { "content-type": "text/event-stream" }).end("data: well\n\n");
    else response.destroy();
  }), { requests: 0, isWell: false, url: "" });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return server;
}

test("A hundred transports do not hammer a host that is down, spend no attempt on it, and go on once a probe finds it well", async () => {
  const server = await sickServer();
  const manager = createManager({ circuitBreaker: { failures: 5, breakTime: 20, maxBreakTime: 20 } });
  const reconnect = { initialDelay: 1, multiplier: 1, maxAttempts: 1_000 };
  const transports = Array.from({ length: 100 }, () => manager.createTransport({ transport: "sse", url: server.url, reconnect }));
  const connecting = transports.slice(0, 5).map((transport) => transport.connect());
  while (!Object.keys(manager.getBrokenOrigins()).length) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(Object.keys(manager.getBrokenOrigins()), [new URL(server.url).origin]);
  connecting.push(...transports.slice(5).map((transport) => transport.connect()));
  const before = server.requests;
  while (server.requests < before + 5) await new Promise((resolve) => setTimeout(resolve, 1));
  const errors = manager.getMetrics().reduce((sum, each) => sum + each.errors, 0);
  assert.ok(Math.abs(errors - server.requests) <= 1, `${errors} errors, ${server.requests} requests`);
  server.isWell = true;
  await Promise.all(connecting);
  assert.deepEqual(manager.getBrokenOrigins(), {});
  await manager.destroy();
  server.close();
  server.closeAllConnections();
});

test("A path that answers 503 says that the host is there: another path of it connects at once", async () => {
  const server = await sickServer();
  server.isWell = true;
  const manager = createManager({ circuitBreaker: { failures: 2 } });
  const reconnect = { initialDelay: 1, multiplier: 1, maxAttempts: 9 };
  await assert.rejects(manager.createTransport({ transport: "sse", url: `${server.url}sick`, reconnect }).connect(), { code: "attempts-exhausted" });
  assert.equal(server.requests, 10);
  assert.deepEqual(manager.getBrokenOrigins(), {});
  await manager.createTransport({ transport: "sse", url: server.url }).connect();
  await manager.destroy();
  server.close();
  server.closeAllConnections();
});

test("A path that never answers does not hold up another path of its origin", async () => {
  const server = createServer(({ url }, response) => {
    if (url == "/answers") response.writeHead(200, { "content-type": "text/event-stream" }).end("data: well\n\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const manager = createManager({ circuitBreaker: { failures: 2, breakTime: 60_000 } });
  const reconnect = { initialDelay: 1, multiplier: 1, maxAttempts: 1_000 };
  void manager.createTransport({ transport: "sse", url: `${url}/hangs`, connectTimeout: 20, reconnect }).connect().catch(() => {});
  while (!Object.keys(manager.getBrokenOrigins()).length) await new Promise((resolve) => setTimeout(resolve, 1));
  await manager.createTransport({ transport: "sse", url: `${url}/answers` }).connect();
  assert.deepEqual(manager.getBrokenOrigins(), {});
  await manager.destroy();
  server.close();
  server.closeAllConnections();
});

test("Options of a breaker out of range are named", () => {
  assert.throws(() => createManager({ circuitBreaker: { failures: 0 } }), { name: "RangeError", message: "circuitBreaker.failures must be a number from 1, not 0." });
});
