import assert from "node:assert/strict";
import { connectTo, readAll } from "../support/forms.js";
import type { StreamMessage, Transport, TransportKind } from "../../src/types.js";
import { type TestOrders, token } from "./order.js";
import { callAtRandom } from "./random.js";
import { nothing, Tally } from "./tally.js";

/** One test of the client against the real server: the same in Node and in a browser. */
export interface Case {
  readonly name: string;
  run(orders: TestOrders, note: (text: string) => void): Promise<void>;
}

const forms: TransportKind[] = ["sse", "websocket", "http-stream", "long-poll", "auto"];
const posted: TransportKind[] = ["sse", "http-stream", "auto"];
const seed = 20_26;

/** A poll may be held for a second, and then says nothing: its silence has a limit of its own. */
const patience = (kind: TransportKind) => (kind == "long-poll" ? { idleTimeout: 3_000 } : {});

const often = { maxAttempts: 200 };

export const cases: readonly Case[] = [
  ...([["sse", 100_000], ["websocket", 100_000], ["http-stream", 20_000], ["long-poll", 20_000], ["auto", 20_000]] as const).map(([kind, count]): Case => ({
    name: `${kind}: ${count} events over a line that is cut at random bytes, delayed and stalled, 0 lost, 0 repeated`,
    async run(orders, note) {
      const line = await orders.line({ seed, minBytes: 2_000, maxBytes: count * 2, stalled: 3 });
      const transport = connectTo(kind, line.to(await orders.run({ count })), { reconnect: often, ...patience(kind) });
      const tally = new Tally(count);
      for await (const { data } of transport) tally.add(data);
      const { cuts } = await line.state();
      note(`${kind}: ${tally.received} events, ${cuts} cuts and a stall, seed ${seed}: ${JSON.stringify(tally.result())}`);
      assert.deepEqual(tally.result(), nothing);
      assert.ok(cuts > 20, `${cuts} cuts`);
      assert.deepEqual(await transport.completion, { reason: "completed" });
      assert.equal(transport.getMetrics().gaps, 0);
    },
  })),

  ...forms.map((kind): Case => ({
    name: `${kind}: small pieces and short-lived connections`,
    async run(orders, note) {
      const count = 1_500;
      const line = await orders.line({ seed, minBytes: 1_200, maxBytes: 12_000, maxPieceBytes: 90 });
      const transport = connectTo(kind, line.to(await orders.run({ count })), { reconnect: often });
      const tally = new Tally(count);
      for await (const { data } of transport) tally.add(data);
      const { cuts } = await line.state();
      note(`${kind}: ${tally.received} events, ${cuts} cuts, seed ${seed}: ${JSON.stringify(tally.result())}`);
      assert.deepEqual(tally.result(), nothing);
      assert.ok(cuts > 5, `${cuts} cuts`);
    },
  })),

  ...forms.map((kind): Case => ({
    name: `${kind}: another transport goes on after the last message that was processed`,
    async run(orders) {
      const count = 200;
      const run = await orders.run({ count });
      const url = (await orders.line()).to(run);
      const seen = await take(connectTo(kind, url), 77);
      const rest = new Tally(count, 77);
      for await (const { data } of connectTo(kind, url, { lastEventId: seen.at(-1)!.id })) rest.add(data);
      assert.equal(rest.received, count - 77);
      assert.deepEqual(rest.result(), nothing);
    },
  })),

  ...forms.map((kind): Case => ({
    name: `${kind}: who resumes after the end is told how it ended`,
    async run(orders) {
      const run = await orders.run({ count: 3 });
      const url = (await orders.line()).to(run);
      const first = connectTo(kind, url);
      assert.equal((await readAll(first)).length, 3);
      const later = connectTo(kind, url, { lastEventId: first.lastEventId });
      assert.deepEqual(await readAll(later), []);
      assert.deepEqual(await later.completion, { reason: "completed" });
    },
  })),

  ...posted.map((kind): Case => ({
    name: `${kind}: a POST starts one run, and goes on by GET where the answer said`,
    async run(orders) {
      const count = 400;
      const name = `${kind}-${Math.random().toString(36).slice(2)}`;
      const line = await orders.line({ seed, minBytes: 3_000, maxBytes: 9_000 });
      const transport = connectTo(kind, `${line.address}start?name=${name}&count=${count}`, { method: "POST", body: "prompt", reconnect: often });
      const tally = new Tally(count);
      for await (const { data } of transport) tally.add(data);
      assert.deepEqual(tally.result(), nothing);
      assert.ok(transport.getMetrics().resumes > 0);
      assert.equal(await orders.starts(name), 1);
    },
  })),

  ...forms.map((kind): Case => ({
    name: `${kind}: a stop ends the stream as stopped`,
    async run(orders) {
      const line = await orders.line();
      const transport = connectTo(kind, line.to(await orders.run({ count: 5, end: "open" })));
      const received: string[] = [];
      for await (const { data } of transport) {
        received.push(data);
        if (received.length == 5) await transport.stop();
      }
      assert.equal(received.length, 5);
      assert.deepEqual(await transport.completion, { reason: "stopped" });
    },
  })),

  ...forms.map((kind): Case => ({
    name: `${kind}: what is sent over a line that breaks arrives once and in order`,
    async run(orders, note) {
      const run = await orders.run({ count: 1, end: "open" });
      // Over a WebSocket little comes back: one answer for many messages.
      const bytes = kind == "websocket" || kind == "auto" ? { minBytes: 700, maxBytes: 1_000 } : { minBytes: 900, maxBytes: 4_000 };
      const line = await orders.line({ seed, ...bytes });
      const transport = connectTo(kind, line.to(run), { reconnect: { maxAttempts: 1_000 } });
      const expected = Array.from({ length: 200 }, (_, index) => `message ${index} "ü"`);
      for (let start = 0; start < expected.length; start += 5) {
        const outcomes = await Promise.all(expected.slice(start, start + 5).map((text) => transport.send(text)));
        assert.ok(outcomes.every((outcome) => outcome == "acknowledged"), outcomes.join());
      }
      await transport.close();
      const { cuts } = await line.state();
      note(`${kind}: ${expected.length} messages sent, ${cuts} cuts, seed ${seed}`);
      assert.ok(cuts > 2, `${cuts} cuts`);
      await until(async () => (await orders.state(run)).received.length >= expected.length);
      assert.deepEqual((await orders.state(run)).received, expected);
    },
  })),

  ...forms.map((kind): Case => ({
    name: `${kind}: random calls settle, lose nothing and repeat nothing`,
    async run(orders) {
      for (let run = 0; run < 10; run++) await callAtRandom(kind, orders, seed + run);
    },
  })),

  ...forms.map((kind): Case => ({
    name: `${kind}: a failure of the producer comes behind all that was said before`,
    async run(orders) {
      const count = 500;
      const line = await orders.line({ seed, minBytes: 2_000, maxBytes: 20_000 });
      const transport = connectTo(kind, line.to(await orders.run({ count, end: "failed" })), { reconnect: often });
      const tally = new Tally(count);
      await assert.rejects(async () => {
        for await (const { data } of transport) tally.add(data);
      }, { code: "server-failed", serverCode: "quota", serverMessage: "out of tokens" });
      assert.deepEqual(tally.result(), nothing);
      assert.equal(transport.state, "failed");
    },
  })),

  ...forms.map((kind): Case => ({
    name: `${kind}: a line that falls silent is left, and the stream goes on over another`,
    async run(orders) {
      const count = 20;
      const run = await orders.run({ count, holdAfter: 10 });
      const line = await orders.line();
      const transport = connectTo(kind, line.to(run), { reconnect: often, ...patience(kind) });
      let isStalled = false;
      const lost = new Promise<string>((resolve) => transport.on("error", ({ code }) => isStalled && resolve(code)));
      const tally = new Tally(count);
      for await (const { data } of transport) {
        tally.add(data);
        if (tally.received != 10) continue;
        await line.act("stall");
        isStalled = true;
        await orders.release(run);
        void lost.then(() => line.act("resume"));
      }
      assert.equal(await lost, "idle-timeout");
      assert.deepEqual(tally.result(), nothing);
    },
  })),

  ...forms.map((kind): Case => ({
    name: `${kind}: a slow reader fills the buffer and no more, and loses nothing`,
    async run(orders) {
      const count = 4_000;
      const transport = connectTo(kind, (await orders.line()).to(await orders.run({ count })), { buffer: { capacity: 50 }, reconnect: often });
      const tally = new Tally(count);
      let fullest = 0;
      for await (const { data } of transport) {
        tally.add(data);
        fullest = Math.max(fullest, transport.getMetrics().bufferSize);
        if (tally.received % 500 == 0) await new Promise((resolve) => setTimeout(resolve));
      }
      assert.ok(fullest <= 50, `${fullest} in the buffer`);
      assert.deepEqual(tally.result(), nothing);
    },
  })),

  ...forms.map((kind): Case => ({
    name: `${kind}: a server that cannot be reached is found again`,
    async run(orders) {
      const count = 20;
      const run = await orders.run({ count, holdAfter: 10 });
      const line = await orders.line();
      const transport = connectTo(kind, line.to(run), { reconnect: { maxAttempts: 1_000, initialDelay: 5, maxDelay: 20 } });
      let isRefused = false;
      let failures = 0;
      transport.on("reconnecting", () => {
        if (isRefused && ++failures == 3) void line.act("accept");
      });
      const tally = new Tally(count);
      for await (const { data } of transport) {
        tally.add(data);
        if (tally.received != 10) continue;
        await line.act("refuse");
        isRefused = true;
        await line.act("cut");
        await orders.release(run);
      }
      assert.ok(failures >= 3);
      assert.deepEqual(tally.result(), nothing);
    },
  })),
];

async function take(transport: Transport, count: number): Promise<StreamMessage[]> {
  const taken: StreamMessage[] = [];
  for await (const message of transport) {
    taken.push(message);
    if (taken.length == count) break;
  }
  await transport.close();
  assert.deepEqual(taken.map(({ data }) => data).at(-1)?.split("\n")[0], token(count - 1, 0).split("\n")[0]);
  return taken;
}

/** Waits for what the server does by itself. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}
