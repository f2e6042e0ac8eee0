import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { TransportKind } from "../src/types.js";
import { TestOrders } from "./suite/order.js";
import { connectTo } from "./support/forms.js";
import { isRequired, missing, TestServer } from "./support/test-server.js";

const skip = missing !== undefined && !isRequired ? `SKIPPED: ${missing}` : false;
const forms: TransportKind[] = ["sse", "websocket", "http-stream", "long-poll", "auto"];
/** The full run, for which there is no time in each test run: `SENDS=20000 npm test many-sends`. */
const COUNT = Number(process.env.SENDS ?? 2_000);
const GROUP = 50;

let server: TestServer;

void describe(`In Node, ${COUNT} messages to a stream that says nothing, over lines that are cut`, { concurrency: 5, skip }, () => {
  before(async () => void (server = await TestServer.start()));
  after(() => server?.close());

  for (const kind of forms) {
    void test(`${kind}: each arrives once and in order`, { timeout: 1_180_000 }, async (context) => {
      const orders = new TestOrders(server.url);
      const run = await orders.run({ count: 0, end: "open" });
      // Over a WebSocket little comes back: one answer for many messages.
      const bytes = kind == "websocket" || kind == "auto" ? { minBytes: 420, maxBytes: 560 } : { minBytes: 4_000, maxBytes: 16_000 };
      const line = await orders.line({ seed: 20_26, ...bytes });
      const transport = connectTo(kind, line.to(run), { reconnect: { maxAttempts: 20 } });
      const expected = Array.from({ length: COUNT }, (_, index) => `message ${index}`);
      const outcomes = new Set<string>();
      for (let start = 0; start < COUNT; start += GROUP) {
        for (const outcome of await Promise.all(expected.slice(start, start + GROUP).map((text) => transport.send(text)))) outcomes.add(outcome);
      }
      const { cuts } = await line.state();
      context.diagnostic(`${kind}: ${COUNT} messages, ${cuts} cuts`);
      assert.deepEqual([...outcomes], ["acknowledged"]);
      assert.ok(cuts >= COUNT / 100, `${cuts} cuts`);
      await transport.close();
      let { received } = await orders.state(run);
      while (received.length < COUNT) ({ received } = await orders.state(run));
      assert.deepEqual(received, expected);
    });
  }
});
