import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Tally, nothing } from "./suite/tally.js";
import { missingBrowser } from "./support/browser.js";
import { OpenPages } from "./support/open-pages.js";
import { isRequired, missing } from "./support/test-server.js";
import { longestTask } from "./support/tasks.js";
import type {} from "./pages/hydrate.js";
import type {} from "./pages/saved.js";

const reason = missing ?? missingBrowser;
const skip = reason !== undefined && !isRequired ? `SKIPPED: ${reason}` : false;

let pages: OpenPages;

void describe("Views in Chromium", { skip }, () => {
  before(async () => {
    assert.equal(reason, undefined);
    pages = await OpenPages.start();
  });
  after(() => pages?.close());

  for (const kind of ["sse", "http-stream"]) {
    test(`${kind}: a page that reads slowly and is reloaded in mid-answer goes on with saveAs alone: one prompt, 0 lost, 0 repeated`, { timeout: 300_000 }, async () => {
      const context = await pages.visitor();
      const count = 3_000;
      const line = await pages.orders.line({ seed: 2026, minBytes: 30_000, maxBytes: 90_000 });
      const name = `saved-${kind}`;
      const page = await pages.open(context, "saved", { kind, url: `${line.address}start?name=${name}&count=${count}&holdAfter=2500` });
      for (const place of [1, 700, 2_000]) {
        await page.waitForFunction((place) => window.shown?.data.length >= place, place);
        await page.reload();
      }
      await page.waitForFunction(() => window.shown?.data.length >= 2_000);
      const url = await page.evaluate(() => window.shown.url);
      await pages.orders.release(url!.split("/").at(-1)!);
      await page.waitForFunction(() => window.shown?.reason !== undefined);
      const { data, reason } = await page.evaluate(() => window.shown);
      const tally = new Tally(count);
      for (const each of data) tally.add(each);
      assert.equal(reason, "completed");
      assert.deepEqual(tally.result(), nothing);
      assert.equal(await pages.orders.starts(name), 1);

      await page.reload();
      await page.waitForFunction((count) => window.shown?.data.length == count && window.shown.reason == "completed", count);
      assert.equal(await pages.orders.starts(name), 1);
      await context.close();
    });
  }

  // Prints how long the main thread was held: a figure for people, since a busy machine may make it larger than 50 ms.
  test("60,000 messages are shown whole in a page", { timeout: 300_000 }, async (test) => {
    const context = await pages.visitor();
    const count = 60_000;
    const run = await pages.orders.run({ count });
    const page = await pages.open(context, "long-answer", { url: `${pages.serverUrl}streams/${run}` });
    const longest = await longestTask(pages.browser, page, async () => {
      await page.getByRole("button").click();
      await page.waitForSelector('p[data-reason="completed"]', { timeout: 100_000 });
      assert.equal(await page.locator("p").getAttribute("data-count"), String(count));
    });
    test.diagnostic(`the longest task of the main thread took ${longest.toFixed(1)} ms of processor time`);
    await context.close();
  });

  test("What a server rendered with a relative URL connects in the browser, in React, Vue and Svelte", { timeout: 240_000 }, async () => {
    const context = await pages.visitor();
    const asked: string[] = [];
    await context.route("**/streams/42", (route) => {
      asked.push(new URL(route.request().url()).pathname);
      return route.fulfill({ contentType: "text/event-stream", body: "id: 1\ndata: Hel\n\nid: 2\ndata: lo\n\ndata: [DONE]\n\n" });
    });
    const page = await pages.open(context, "hydrate", { react: "<p>idle </p>", vue: "<p>idle </p>" });
    for (const framework of ["react", "vue", "svelte"]) {
      await page.waitForFunction((framework) => document.getElementById(framework)?.textContent == "completed Hello", framework);
    }
    assert.deepEqual(asked, ["/streams/42", "/streams/42", "/streams/42"]);
    assert.deepEqual(await page.evaluate(() => window.complaints), []);
    await context.close();
  });
});
