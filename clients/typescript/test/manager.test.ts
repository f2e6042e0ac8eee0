import assert from "node:assert/strict";
import { test } from "node:test";
import { createManager } from "../src/manager.js";
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
  assert.deepEqual(manager.getHealth(), [{ id: first.id, status: "healthy" }, { id: second.id, status: "healthy" }]);
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
  const manager = createManager({ healthCheckInterval: 1000, maxIdleTime: 2500 });
  const changes: string[] = [];
  let checks = 0;
  manager.on("health:check", () => checks++);
  manager.on("health:changed", ({ status }) => changes.push(status));
  const transport = manager.createTransport({ transport: "sse", url: "http://127.0.0.1:1/", reconnect: false });
  await transport.connect().catch(() => {});
  context.mock.timers.tick(1000);
  assert.deepEqual(changes, ["unhealthy"]);
  assert.equal(manager.getAllTransports().length, 0);
  manager.createTransport({ transport: "sse", url: "http://127.0.0.1:1/" });
  for (let round = 0; round < 3; round++) context.mock.timers.tick(1000);
  assert.equal(manager.getAllTransports().length, 0);
  assert.equal(checks, 4);
  await manager.destroy();
});
