import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransportKind } from "../src/types.js";
import { CuttingProxy } from "./support/cutting-proxy.js";
import { seeded } from "./support/seeded.js";
import { connectTo, readAll } from "./support/forms.js";
import { StreamServer } from "./support/stream-server.js";

const forms: TransportKind[] = ["sse", "http-stream", "websocket", "long-poll", "auto"];

for (const kind of forms) {
  test(`${kind}: reads 5000 events once and in order over a line that breaks at random bytes`, async () => {
    await using server = await new StreamServer().listen();
    const random = seeded(7);
    await using proxy = await new CuttingProxy(server.port, () => 200 + Math.floor(random() * 12_000)).listen();
    const expected = Array.from({ length: 5000 }, (_, index) => `token ${index} 🌱\nsecond line`);
    server.write(...expected);
    server.end("completed");
    const transport = connectTo(kind, proxy.url(), { reconnect: { maxAttempts: 50 } });
    assert.deepEqual(await readAll(transport), expected);
    assert.ok(proxy.cuts > 20, `${proxy.cuts} cuts`);
    assert.deepEqual(await transport.completion, { reason: "completed" });
    const metrics = transport.getMetrics();
    assert.equal(metrics.messagesReceived, 5000);
    assert.equal(metrics.gaps, 0);
  });

  test(`${kind}: sends 300 messages so that each arrives once and in order over a line that breaks`, async () => {
    await using server = await new StreamServer().listen();
    const random = seeded(11);
    await using proxy = await new CuttingProxy(server.port, () => 250 + Math.floor(random() * 1_500)).listen();
    const transport = connectTo(kind, proxy.url(), { reconnect: { maxAttempts: 1000 } });
    const expected = Array.from({ length: 300 }, (_, index) => `message ${index} "ü"`);
    for (let start = 0; start < expected.length; start += 20) {
      const outcomes = await Promise.all(expected.slice(start, start + 20).map((text) => transport.send(text)));
      assert.ok(outcomes.every((outcome) => outcome == "acknowledged"));
    }
    assert.deepEqual(server.taken, expected);
    assert.ok(proxy.cuts > 3, `${proxy.cuts} cuts`);
    await transport.close();
  });

  test(`${kind}: a stop ends the stream as stopped`, async () => {
    await using server = await new StreamServer().listen();
    server.write("one");
    const transport = connectTo(kind, server.url);
    const reading = readAll(transport);
    await transport.connect();
    await transport.stop();
    assert.deepEqual(await reading, ["one"]);
    assert.deepEqual(await transport.completion, { reason: "stopped" });
  });

  test(`${kind}: a failure of the producer fails the stream, behind all that came before`, async () => {
    await using server = await new StreamServer().listen();
    server.write("one", "two");
    server.end("failed", '{"error":{"message":"out of tokens","code":"quota"}}');
    const transport = connectTo(kind, server.url);
    const received: string[] = [];
    await assert.rejects(async () => {
      for await (const { data } of transport) received.push(data);
    }, { code: "server-failed", serverCode: "quota", serverMessage: "out of tokens" });
    assert.deepEqual(received, ["one", "two"]);
    assert.equal(transport.state, "failed");
  });

  test(`${kind}: a reader that resumes after the end is told how it ended`, async () => {
    await using server = await new StreamServer().listen();
    server.write("one");
    server.end("stopped");
    const transport = connectTo(kind, server.url, { lastEventId: "e-2" });
    assert.deepEqual(await readAll(transport), []);
    assert.deepEqual(await transport.completion, { reason: "stopped" });
  });

  test(`${kind}: a slow reader holds the sender back, and loses nothing`, async () => {
    await using server = await new StreamServer({ batch: 500 }).listen();
    const expected = Array.from({ length: 4000 }, (_, index) => `${index} ${"x".repeat(500)}`);
    server.write(...expected);
    server.end("completed");
    const transport = connectTo(kind, server.url, { buffer: { capacity: 20 } });
    const received: string[] = [];
    for await (const { data } of transport) {
      received.push(data);
      assert.ok(transport.getMetrics().bufferSize <= 20);
      if (received.length % 100 == 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(received, expected);
    assert.equal(transport.getMetrics().dropped, 0);
  });

  test(`${kind}: close leaves, and what had arrived can still be read`, async () => {
    await using server = await new StreamServer().listen();
    server.write("one", "two");
    const transport = connectTo(kind, server.url);
    await transport.connect();
    while (transport.getMetrics().messagesReceived < 2) await new Promise((resolve) => setImmediate(resolve));
    await transport.close();
    assert.deepEqual(await readAll(transport), ["one", "two"]);
    assert.deepEqual(await transport.completion, { reason: "closed" });
    assert.equal(server.status, "running");
  });
}
