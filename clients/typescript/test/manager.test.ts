import assert from "node:assert/strict";
import { test } from "node:test";
import { createManager } from "../src/manager.js";
import { settled } from "./support/manual-clock.js";
import { ScriptedBody } from "./support/scripted-fetch.js";
import { StreamServer } from "./support/stream-server.js";

test("Creates, finds, counts, forwards and closes", async () => {
  await using server = await new StreamServer().listen();
  const manager = createManager();
  const seen: string[] = [];
  manager.on("transport:created", ({ id }) => seen.push(`created ${id}`));
  manager.on("transport:connected", ({ id, detail }) => seen.push(`connected ${id} ${detail.attempt}`));
  manager.on("transport:removed", ({ id }) => seen.push(`removed ${id}`));
  const first = manager.createTransport({ transport: "sse", url: server.url });
  const second = manager.createTransport({ transport: "long-poll", url: server.url });
  await first.connect();
  assert.equal(manager.getTransport(first.id), first);
  assert.deepEqual(manager.getAllTransports(), [first, second]);
  assert.deepEqual(manager.getTransportsByKind("sse"), [first]);
  assert.deepEqual(manager.getTransportsByState("idle"), [second]);
  assert.deepEqual(manager.getHealth(), [{ id: first.id, status: "healthy", reason: "connected" }, { id: second.id, status: "healthy", reason: "idle" }]);
  const { total, byKind, byState, poolUtilisation } = manager.getSummary();
  assert.deepEqual({ total, byKind, byState, poolUtilisation }, { total: 2, byKind: { sse: 1, "long-poll": 1 }, byState: { connected: 1, idle: 1 }, poolUtilisation: 2 });
  assert.equal(await manager.closeTransport(second.id), true);
  assert.equal(await manager.closeTransport(second.id), false);
  await manager.destroy();
  assert.equal(first.state, "closed");
  assert.deepEqual(seen, [`created ${first.id}`, `created ${second.id}`, `connected ${first.id} 0`, `removed ${second.id}`, `removed ${first.id}`]);
});

test("A full pool sweeps what is over, and then refuses", async () => {
  const manager = createManager({ maxPoolSize: 2 });
  const create = () => manager.createTransport({ transport: "sse", url: "http://127.0.0.1:1/" });
  await create().close();
  create();
  create();
  assert.throws(create, RangeError);
  assert.equal(manager.getAllTransports().length, 2);
  await manager.destroy();
});

test("Looks at health on an interval, tells of changes, and closes what is idle", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval", "Date"] });
  context.mock.method(performance, "now", Date.now);
  const manager = createManager({ healthCheckInterval: 1000, maxIdleTime: 2500 });
  const changes: string[] = [];
  let checks = 0;
  manager.on("health:check", () => checks++);
  manager.on("health:changed", ({ status }) => changes.push(status));
  const transport = manager.createTransport({ transport: "sse", url: "http://127.0.0.1:1/", reconnect: false });
  await transport.connect().catch(() => {});
  context.mock.timers.tick(1000);
  assert.deepEqual(changes, ["unhealthy"]);
  assert.equal(manager.getAllTransports().length, 1);
  manager.createTransport({ transport: "sse", url: "http://127.0.0.1:1/" });
  for (let round = 0; round < 3; round++) context.mock.timers.tick(1000);
  assert.equal(manager.getAllTransports().length, 0);
  assert.equal(checks, 4);
  await manager.destroy();
});

test("A stream that is read, has heartbeats, or holds messages is not idle", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval", "Date"] });
  context.mock.method(performance, "now", Date.now);
  await using server = await new StreamServer().listen();
  const manager = createManager({ healthCheckInterval: 1000, maxIdleTime: 2500 });
  const read = manager.createTransport({ transport: "sse", url: server.url });
  const reading = read.read().next();
  const holding = manager.createTransport({ transport: "sse", url: server.url });
  holding.pause();
  const bodies: ScriptedBody[] = [];
  const beating = manager.createTransport({ transport: "sse", url: "http://beats.test/", services: { fetch: async () => {
    bodies.push(new ScriptedBody());
    return new Response(bodies.at(-1)!.stream, { headers: { "content-type": "text/event-stream" } });
  } } });
  const quiet = manager.createTransport({ transport: "sse", url: server.url });
  await Promise.all([read, holding, beating, quiet].map((transport) => transport.connect()));
  for (let second = 0; second < 6; second++) {
    bodies[0]!.write(": beat\n\n");
    await settled();
    context.mock.timers.tick(1000);
  }
  assert.deepEqual(manager.getAllTransports().map(({ id }) => id).filter((id) => id != holding.id), [read.id, beating.id]);
  assert.equal(quiet.state, "closed");
  await manager.destroy();
  await reading;
});

test("A handler that throws or rejects touches nothing", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const logged = context.mock.method(console, "error", () => {});
  const manager = createManager({ healthCheckInterval: 1000 });
  const seen: string[] = [];
  manager.on("health:check", () => {
    throw new Error("oops");
  });
  manager.on("health:check", () => Promise.reject(new Error("later")));
  manager.on("health:check", () => seen.push("checked"));
  manager.on("transport:created", () => {
    throw new Error("oops");
  });
  manager.createTransport({ transport: "sse", url: "http://127.0.0.1:1/" });
  context.mock.timers.tick(1000);
  await settled();
  assert.deepEqual(seen, ["checked"]);
  assert.equal(logged.mock.callCount(), 3);
  await manager.destroy();
});

test("An interval of Infinity never checks, and options out of range are named", async (context) => {
  let checks = 0;
  const manager = createManager({ healthCheckInterval: Infinity, maxIdleTime: Infinity });
  manager.on("health:check", () => checks++);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(checks, 0);
  await manager.destroy();
  for (const [options, message] of [
    [{ healthCheckInterval: 0 }, "healthCheckInterval must be a number from 1, not 0."],
    [{ maxPoolSize: NaN }, "maxPoolSize must be a number from 1, not NaN."],
    [{ maxIdleTime: "5" }, "maxIdleTime must be a number from 1, not 5."],
    [{ autoCleanup: 1 }, "autoCleanup must be one of true, false, not 1."],
  ] as const) assert.throws(() => createManager(options as object), { name: "RangeError", message }, context.name);
});
