import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { TransportKind } from "../src/types.js";
import { TestOrders } from "./suite/order.js";
import { callAtRandom } from "./suite/random.js";
import { isRequired, missing, TestServer } from "./support/test-server.js";

const skip = missing !== undefined && !isRequired ? `SKIPPED: ${missing}` : false;
const first = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const runs = Number(process.env["RUNS"] ?? 2_000);
const forms: TransportKind[] = ["sse", "websocket", "http-stream", "long-poll", "auto"];

let server: TestServer;

void describe(`In Node, random calls over lines that are cut, from SEED=${first}`, { concurrency: 5, skip }, () => {
  before(async () => void (server = await TestServer.start()));
  after(() => server?.close());

  for (const [index, kind] of forms.entries()) {
    void test(`${kind}: every promise settles, nothing is lost, nothing comes twice`, { timeout: 1_180_000 }, async (context) => {
      const unhandled: unknown[] = [];
      const note = (reason: unknown) => void unhandled.push(reason);
      process.on("unhandledRejection", note);
      for (let run = index; run < runs; run += forms.length) await callAtRandom(kind, new TestOrders(server.url), first + run);
      process.off("unhandledRejection", note);
      assert.deepEqual(unhandled, []);
      context.diagnostic(`${Math.ceil((runs - index) / forms.length)} runs, SEED=${first}`);
    });
  }
});
