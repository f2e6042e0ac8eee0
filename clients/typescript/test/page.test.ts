import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { DemoServer } from "./support/demo-server.js";
import { DemoPage, missing, ServedPage } from "./support/served-page.js";

const isRequired = process.env["CI"] == "true";
const skip = missing !== undefined && !isRequired ? `SKIPPED: ${missing}` : false;
const pictures = "artifacts/demo";
const longQuestion = "Read me the README";
const question = "Show me the client";

let served: ServedPage;

/** One visit. */
function visit(name: string, use: (page: DemoPage) => Promise<void>, options?: Parameters<ServedPage["open"]>[0]): void {
  void test(name, { skip }, async () => {
    const page = await served.open(options);
    try {
      await use(page);
    } catch (error) {
      console.error(`${name}: ${await page.report()}`);
      throw error;
    } finally {
      await page.close();
    }
  });
}

/** Reads over one long connection, which a cut surely breaks: a long poll may be between two requests. */
const readByWebSocket = async (page: DemoPage): Promise<void> => {
  await page.choose("WS");
  await page.says("kind", "websocket");
};

/** Lets the rest of the answer come, and compares. */
const shouldBeWhole = async (page: DemoPage): Promise<void> => {
  await page.writeAll();
  const ending = await page.end();
  assert.match(ending, /^completed: .* 0 lost, 0 repeated/);
  assert.equal(await page.answer(), await page.sent());
};

void describe("The demo page", { concurrency: 3 }, () => {
  before(async () => {
    if (skip) return;
    assert.equal(missing, undefined);
    mkdirSync(pictures, { recursive: true });
    served = await ServedPage.start();
  });

  after(() => served?.close());

  visit("Five cuts in one answer, and the text on the page is the one that was sent", async (page) => {
    await page.ask(longQuestion);
    await readByWebSocket(page);
    for (let cuts = 1; cuts <= 5; cuts++) {
      await page.goOn(10);
      await page.press("Cut");
      await page.atLeast("reconnects", cuts);
    }
    await shouldBeWhole(page);
    assert.equal(await page.answer(), readFileSync("../../README.md", "utf8"));
  });

  visit("A reload in the middle of an answer goes on without loss", async (page) => {
    await page.ask(question);
    await page.goOn(20);
    await page.page.reload();
    await page.goOn(20);
    assert.equal(await page.text("question"), question);
    await shouldBeWhole(page);
  });

  void test("After a restart of the server a reload and a second tab show the answer and go on with it", { skip }, async () => {
    const directory = mkdtempSync(join(tmpdir(), "perennial-page-"));
    const options = ["--step", "--store", join(directory, "runs.db")];
    let server = await DemoServer.start(...options);
    const page = await served.open({ url: server.url });
    try {
      await page.ask(question);
      await page.goOn(20);
      await server.close();
      server = await DemoServer.startAt(server.url, ...options);
      await page.page.reload();
      await page.goOn(20);
      const opening = page.page.context().waitForEvent("page");
      await page.press("Second tab");
      const second = new DemoPage(await opening, server.url);

      await shouldBeWhole(page);
      await second.end();
      assert.equal(await second.answer(), await page.answer());
    } finally {
      await page.close();
      await server.close();
      rmSync(directory, { recursive: true });
    }
  });

  visit("Two tabs read one answer, and what is done to the line of one is nothing to the other", async (page) => {
    await page.ask(question);
    await page.choose("SSE");           // which slows the server down where a tab falls behind; a WebSocket of a browser would be left
    await page.says("kind", "sse");
    const opening = page.page.context().waitForEvent("page");
    await page.press("Second tab");
    const second = new DemoPage(await opening, served.server.url);
    await page.goOn(20);
    await page.press("Cut");
    await page.atLeast("reconnects", 1);
    await page.writeAll();
    await page.end();
    await second.end();

    const sent = await page.sent();
    assert.equal(await page.answer(), sent);
    assert.equal(await second.answer(), sent);
    assert.equal(await second.text("reconnects"), "0", await second.report());
  });

  visit("A stop is told from a completion, on the page and by the server", async (page) => {
    await page.ask(longQuestion);
    await page.goOn(10);
    await page.press("Stop");
    assert.match(await page.end(), /^stopped: /);
    assert.equal(await page.text("state"), "stopped");
    const response = await fetch(page.run, { method: "HEAD" });
    assert.equal(response.headers.get("perennial-status"), "stopped");
    assert.equal(await page.answer(), await page.sent());
  });

  visit("An answer may change its protocol on the way", async (page) => {
    await page.ask(longQuestion);
    for (const [label, kind] of [["SSE", "sse"], ["HTTP", "http-stream"], ["WS", "websocket"], ["Poll", "long-poll"], ["SSE", "sse"]] as const) {
      await page.choose(label);
      await page.says("kind", kind);
      await page.goOn(10);
    }
    await shouldBeWhole(page);
  });

  visit("A stalled line is found out, and goes on where it stopped", async (page) => {
    await page.ask(question);
    await page.goOn(20);
    await page.press("Stall");
    await page.says("state", "reconnecting");
    await page.press("Stall");
    await shouldBeWhole(page);
    assert.ok((await page.number("reconnects")) >= 1);
  });

  visit("Behind a buffering proxy another protocol is found that gets through", async (page) => {
    await page.ask(question);
    await page.goOn(10);
    await page.press("Buffering");
    await page.says("kind", "long-poll");
    await shouldBeWhole(page);
  });

  visit("A slow reader fills the buffer and no more", async (page) => {
    await page.ask(question);
    await page.goOn(5);
    await page.press("Slow reader");
    await page.writeAll();
    await page.atLeast("buffer-text", 60);
    await page.says("log", "the sender slows down");
    await page.press("Slow reader");
    await page.says("log", "buffer drained");
    await shouldBeWhole(page);
  });

  visit("The keyboard is enough", async (page) => {
    const { keyboard } = page.page;
    await page.page.getByLabel("Your question").focus();
    await keyboard.type(question);
    await keyboard.press("Enter");
    await page.goOn(10);
    await page.page.getByRole("radio", { name: "Auto" }).focus();
    await keyboard.press("ArrowRight");
    await page.says("kind", "sse");
    await page.goOn(5);         // over a connection of the new form, which there is now to cut
    await keyboard.press("Tab");
    await keyboard.press("Space");
    await page.atLeast("reconnects", 1);
    await shouldBeWhole(page);
  });

  for (const [name, options] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["phone-light", { colorScheme: "light", width: 375, height: 720 }],
    ["phone-dark", { colorScheme: "dark", width: 375, height: 720 }],
  ] as const) {
    visit(`Looks as it should: ${name}`, async (page) => {
      await page.ask(question);
      await readByWebSocket(page);
      await page.goOn(40);
      await page.press("Cut");
      await page.atLeast("reconnects", 1);
      await page.says("state", "connected");
      await page.page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
      const width = await page.page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(width, page.page.viewportSize()?.width);
    }, options);
  }
});
