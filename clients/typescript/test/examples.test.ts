import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, missingBrowser } from "./support/browser.js";
import { CuttingProxy } from "./support/cutting-proxy.js";
import { seeded } from "./support/seeded.js";
import { addressFrom, DemoServer, interrupt, missingDemo, textOf } from "./support/demo-server.js";
import { isRequired } from "./support/test-server.js";

const skipOf = (reason: string | undefined) => (reason !== undefined && !isRequired ? `SKIPPED: ${reason}` : false);
const skip = skipOf(missingDemo);
const skipPages = skipOf(missingDemo ?? missingBrowser);
const question = "Tests of your own";

let server: DemoServer;     // its answers come at once
let slow: DemoServer;       // its answers have not ended when they are stopped
let browser: Browser;

/** As a user runs it. The server seems to be where `address` says. */
const example = (name: string, address: string, ...more: string[]) =>
  spawn(process.execPath, ["scripts/example.mjs", name, ...more, "--server", address, "--port", "0"], { stdio: ["ignore", "pipe", "pipe"] });

/** A line to the server that breaks soon, again and again. */
function roughLine(): Promise<CuttingProxy> {
  const random = seeded(2026);
  return new CuttingProxy(Number(new URL(server.url).port), () => 1_200 + Math.floor(random() * 1_300)).listen();
}

void describe("The examples", { concurrency: 4, skip }, () => {
  before(async () => {
    [server, slow] = await Promise.all([DemoServer.start("--delay", "0"), DemoServer.start()]);
    if (!skipPages) browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    await slow?.close();
  });

  for (const name of ["react", "vue", "svelte", "vanilla"]) {
    test(`${name}: shows the whole answer over a line that breaks, and again after a reload`, { skip: skipPages }, async () => {
      await using line = await roughLine();
      const program = example(name, new URL(line.url("/")).origin);
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        const errors: Error[] = [];
        page.on("pageerror", (error) => errors.push(error));
        await page.goto(await addressFrom(program));
        await page.getByLabel("Your question").fill(question);
        await page.getByRole("button", { name: "Ask" }).click();
        const isComplete = () => page.waitForFunction(() => document.querySelector(".state")?.textContent == "completed", undefined, { timeout: 120_000 });
        await isComplete();
        const sent = await textOf(new URL(new URL(page.url()).hash.slice(1), server.url).href);
        assert.ok(sent.length > 100);
        assert.ok(line.cuts > 0, "the line never broke");
        assert.equal(await page.locator(".answer").textContent(), sent);
        await page.screenshot({ path: `artifacts/examples/${name}.png` });

        await page.reload();
        await isComplete();
        assert.equal(await page.locator(".answer").textContent(), sent);
        assert.deepEqual(errors, []);
      } finally {
        await context.close();
        await interrupt(program);
      }
    });

    test(`${name}: a stop ends the answer`, { skip: skipPages }, async () => {
      const program = example(name, slow.url);
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        await page.goto(await addressFrom(program));
        await page.getByLabel("Your question").fill("Read me the README");
        await page.getByRole("button", { name: "Ask" }).click();
        await page.waitForFunction(() => (document.querySelector(".answer")?.textContent ?? "").length > 20);
        await page.getByRole("button", { name: "Stop" }).click();
        await page.waitForFunction(() => document.querySelector(".state")!.textContent == "stopped");
      } finally {
        await context.close();
        await interrupt(program);
      }
    });
  }

  test("node: writes the whole answer over a line that breaks", async () => {
    await using line = await roughLine();
    const program = example("node", new URL(line.url("/")).origin, question);
    let written = "";
    let told = "";
    program.stdout.setEncoding("utf8").on("data", (text: string) => (written += text));
    program.stderr.setEncoding("utf8").on("data", (text: string) => (told += text));
    assert.equal(await new Promise((resolve) => program.once("close", resolve)), 0, told);
    assert.match(told, /line lost/);
    assert.match(told, /\(completed\)/);
    assert.match(written, /^## .+/);
    assert.equal(written, await textOf(await again()));
  });
});

/** The same answer, to compare with. */
async function again(): Promise<string> {
  const response = await fetch(new URL("/demo/answers", server.url), { method: "POST", body: JSON.stringify({ text: question }) });
  return new URL(`/streams/${((await response.json()) as { run: string }).run}`, server.url).href;
}
