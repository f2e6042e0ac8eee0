import { after, before, describe, test } from "node:test";
import { cases } from "./suite/cases.js";
import { TestOrders } from "./suite/order.js";
import { isRequired, missing, TestServer } from "./support/test-server.js";

const skip = missing !== undefined && !isRequired ? `SKIPPED: ${missing}` : false;

let server: TestServer;

void describe("In Node, against the real server over lines that break", { concurrency: 3, skip }, () => {
  before(async () => void (server = await TestServer.start()));
  after(() => server?.close());

  for (const { name, run } of cases) {
    void test(name, { timeout: 300_000 }, (context) => run(new TestOrders(server.url), (text) => context.diagnostic(text)));
  }
});
