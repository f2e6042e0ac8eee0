import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Browser, Page } from "playwright-core";
import { launch, missingBrowser } from "./browser.js";
import { builtProgram } from "./test-server.js";

const program = builtProgram("../../src/Perennial.Cli", "Perennial.Cli");

/** Why the page cannot be tested here; where it must be, that is an error of the tests. */
export const missing = missingBrowser ?? (program ? undefined : "the perennial command is not built");

/** The demo page, served by the real program and shown by a real browser. */
export class ServedPage {
  private constructor(
    readonly url: string,
    readonly browser: Browser,
    private readonly server: ChildProcess,
  ) {}

  static async start(): Promise<ServedPage> {
    const server = spawn("dotnet", [program!, "serve", "--demo", "--url", "http://127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface(server.stdout)) {
      const url = /http:\S+/.exec(line)?.[0];
      if (url) return new ServedPage(url, await launch(), server);
    }
    throw new Error("perennial serve said nothing.");
  }

  /** A page of its own, as another visitor has it. */
  async open(options: { width?: number; height?: number; colorScheme?: "dark" | "light" } = {}): Promise<DemoPage> {
    const { width = 1280, height = 800, colorScheme = "light" } = options;
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme });
    context.setDefaultTimeout(90_000);
    const page = await context.newPage();
    await page.goto(this.url);
    return new DemoPage(page, this.url);
  }

  async close(): Promise<void> {
    await this.browser.close();
    const ended = new Promise((resolve) => this.server.once("exit", resolve));
    this.server.kill("SIGINT");
    await ended;
  }
}

/** What a visitor does and sees. */
export class DemoPage {
  constructor(
    readonly page: Page,
    private readonly url: string,
  ) {}

  async ask(question: string): Promise<void> {
    await this.page.getByLabel("Your question").fill(question);
    await this.page.getByRole("button", { name: "Ask" }).click();
  }

  press = (name: string) => this.page.getByRole("button", { name }).click();

  choose = (form: string) => this.page.locator(`#forms span:has-text("${form}")`).click();

  text = (id: string) => this.page.locator(`#${id}`).innerText();

  number = async (id: string) => Number(await this.text(id));

  answer = async () => (await this.page.locator("#answer").textContent()) ?? "";

  /** Waits until a number on the page is at least this. */
  atLeast = (id: string, number: number) =>
    this.page.waitForFunction(([id, number]) => Number.parseFloat(document.getElementById(id)!.textContent) >= number, [id, number] as const);

  /** Waits until an element says this. */
  says = (id: string, text: string) =>
    this.page.waitForFunction(([id, text]) => document.getElementById(id)!.textContent.includes(text), [id, text] as const);

  /** Waits for the end of the answer, and returns what the page says of it. */
  async end(): Promise<string> {
    await this.page.locator("#ending").waitFor({ state: "visible" });
    return await this.text("ending");
  }

  get run(): string {
    return `${new URL(this.url).origin}/streams/${/run=([^&]+)/.exec(this.page.url())![1]}`;
  }

  /** What the server sent, read without the page and its client. */
  async sent(): Promise<string> {
    const response = await fetch(this.run, { headers: { accept: "application/x-ndjson" } });
    const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line) as { type?: string; data?: string });
    return lines.filter(({ type }) => type == "token").map(({ data }) => data).join("");
  }

  close = () => this.page.context().close();
}
