import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import type { Reading } from "./pages/reader.js";
import { cases } from "./suite/cases.js";
import { token } from "./suite/order.js";
import { nothing } from "./suite/tally.js";
import { missingBrowser } from "./support/browser.js";
import { OpenPages } from "./support/open-pages.js";
import { isRequired, missing } from "./support/test-server.js";
import type { TransportKind } from "../src/types.js";

const reason = missing ?? missingBrowser;
const skip = reason !== undefined && !isRequired ? `SKIPPED: ${reason}` : false;
const forms: TransportKind[] = ["sse", "websocket", "http-stream", "long-poll", "auto"];

let pages: OpenPages;

/** One test, with a visitor of its own. */
function visit(name: string, use: (context: BrowserContext, note: (text: string) => void) => Promise<void>): void {
  void test(name, { timeout: 300_000 }, async (test) => {
    const context = await pages.visitor();
    try {
      await use(context, (text) => test.diagnostic(text));
    } finally {
      await context.close();
    }
  });
}

function shouldBeWhole(reading: Reading, count: number): void {
  const { next, lost, repeated, damaged, snapshot } = reading;
  assert.equal(snapshot.reason, "completed");
  assert.equal(next, count);
  assert.deepEqual({ lost, repeated, damaged }, nothing);
}

void describe("In Chromium, against the real server over lines that break", { concurrency: 3, skip }, () => {
  before(async () => {
    assert.equal(reason, undefined);
    pages = await OpenPages.start();
  });
  after(() => pages?.close());

  const idle: Page[] = [];
  for (const { name } of cases) {
    void test(name, { timeout: 300_000 }, async (test) => {
      const page = idle.pop() ?? (await pages.open(await pages.visitor(), "cases"));
      const notes = await page.evaluate(([name, server]) => window.runCase(name, server), [name, pages.serverUrl] as const);
      idle.push(page);      // not where the case failed: something of it may be left
      notes.forEach((note) => test.diagnostic(note));
    });
  }

  visit("The browser's own EventSource reads a run, and resumes after each cut by itself", async (context, note) => {
    const count = 20_000;
    const line = await pages.orders.line({ seed: 2026, minBytes: 400_000, maxBytes: 700_000 });
    const page = await pages.open(context, "event-source");
    const url = line.to(await pages.orders.run({ count }));
    const { opened, ...result } = await page.evaluate(([url, count]) => window.readByEventSource(url, count), [url, count] as const);
    const { cuts } = await line.state();
    note(`EventSource: ${count} events, ${cuts} cuts, ${opened} connections: ${JSON.stringify(result)}`);
    assert.deepEqual(result, nothing);
    assert.ok(cuts >= 2 && opened > cuts, `${cuts} cuts, ${opened} connections`);
  });

  for (const kind of forms) {
    visit(`${kind}: a page that is reloaded in the middle goes on where it was`, async (context) => {
      const count = 6_000;
      const run = await pages.orders.run({ count, holdAfter: 4_003 });
      const reader = await pages.read(context, { kind, url: (await pages.orders.line()).to(run), count });
      for (const place of [50, 4_003]) {
        await reader.atLeast(place);
        await reader.page.reload();
      }
      await pages.orders.release(run);
      shouldBeWhole(await reader.end(), count);
    });

    visit(`${kind}: a page that slept while its line died goes on when it wakes`, async (context) => {
      const count = 300;
      const run = await pages.orders.run({ count, holdAfter: 100 });
      const line = await pages.orders.line();
      const reader = await pages.read(context, { kind, url: line.to(run), count });
      const tools = await context.newCDPSession(reader.page);
      await reader.atLeast(100);
      await tools.send("Page.setWebLifecycleState", { state: "frozen" });
      await line.act("stall");
      await pages.orders.release(run);
      const asleep = await reader.reading();
      await line.act("cut");
      await line.act("resume");
      await tools.send("Page.setWebLifecycleState", { state: "active" });
      assert.equal(asleep.next, 100);
      const reading = await reader.end();
      shouldBeWhole(reading, count);
      // A browser repeats by itself a poll that had no answer yet.
      if (kind != "long-poll") assert.ok(reading.connections > 1);
    });

    visit(`${kind}: a page without a network spends no attempt, and is back with the network at once`, async (context) => {
      const count = 300;
      const run = await pages.orders.run({ count, holdAfter: 100 });
      const line = await pages.orders.line();
      // The waits are so long that only the news of the network can end them.
      const reader = await pages.read(context, { kind, url: line.to(run), count, delay: 600_000 });
      await reader.atLeast(100);
      await context.setOffline(true);
      await line.act("cut");
      await reader.is("reconnecting");
      await pages.orders.release(run);
      assert.ok((await reader.reading()).snapshot.attempt <= 1);
      await context.setOffline(false);
      shouldBeWhole(await reader.end(), count);
    });

    visit(`${kind}: two tabs read one run, each over a line of its own`, async (context) => {
      const count = 3_000;
      const run = await pages.orders.run({ count, holdAfter: 2_000 });
      const calm = await pages.read(context, { kind, url: (await pages.orders.line()).to(run), count });
      const rough = await pages.read(context, { kind, url: (await pages.orders.line({ seed: 2026, minBytes: 3_000, maxBytes: 60_000 })).to(run), count });
      await Promise.all([calm.atLeast(2_000), rough.atLeast(2_000)]);
      await pages.orders.release(run);
      shouldBeWhole(await calm.end(), count);
      const reading = await rough.end();
      shouldBeWhole(reading, count);
      assert.ok(reading.connections > 1);
    });

    visit(`${kind}: a page that was left is kept for the back button, and goes on when it is shown again`, async (context) => {
      const count = 300;
      const run = await pages.orders.run({ count, holdAfter: 100 });
      const reader = await pages.read(context, { kind, url: (await pages.orders.line()).to(run), count });
      await reader.atLeast(100);
      await reader.page.goto("about:blank");
      await pages.orders.release(run);
      await reader.page.goBack({ waitUntil: "commit" });
      const reading = await reader.end();
      shouldBeWhole(reading, count);
      assert.ok(reading.wasRestored, "the page was loaded anew");
      assert.ok(reading.connections > 1);
    });

    visit(`${kind}: React's strict mode mounts twice and connects once`, async (context) => {
      const count = 50;
      const run = await pages.orders.run({ count, end: "open" });
      const page = await pages.open(context, "strict-mode", { kind, url: (await pages.orders.line()).to(run) });
      const text = Array.from({ length: count }, (_, number) => token(number, count)).join("|");
      await page.waitForFunction((text) => document.querySelector("p")?.textContent == text, text);
      assert.equal(await page.locator("p").getAttribute("data-state"), "connected");
      assert.equal(await page.locator("p").getAttribute("data-mounts"), "2");
      // Of polls there are as many as time goes by.
      if (kind != "long-poll") assert.equal((await pages.orders.state(run)).readers, 1);
    });
  }
});
