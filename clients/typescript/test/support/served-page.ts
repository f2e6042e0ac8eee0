import type { Browser, Page } from "playwright-core";
import { launch, missingBrowser } from "./browser.js";
import { DemoServer, missingDemo, textOf } from "./demo-server.js";

/** Why the page cannot be tested here; where it must be, that is an error of the tests. */
export const missing = missingBrowser ?? missingDemo;

/** More words than any answer has. */
const ALL_WORDS = 1_000_000;

/** The demo page, served by the real program and shown by a real browser. The tests decide when each word of an answer is written. */
export class ServedPage {
  private constructor(
    readonly server: DemoServer,
    readonly browser: Browser,
  ) {}

  static async start(): Promise<ServedPage> {
    return new ServedPage(await DemoServer.start("--step"), await launch());
  }

  /** A page of its own, as another visitor has it. */
  async open(options: { width?: number; height?: number; colorScheme?: "dark" | "light"; url?: string } = {}): Promise<DemoPage> {
    const { width = 1280, height = 800, colorScheme = "light", url = this.server.url } = options;
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme });
    context.setDefaultTimeout(90_000);
    const page = await context.newPage();
    await page.goto(url);
    return new DemoPage(page, url);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.close();
  }
}

/** What a visitor does and sees. */
export class DemoPage {
  private written = 0;      // words of the answer that the server may write

  constructor(
    readonly page: Page,
    private readonly url: string,
  ) {}

  async ask(question: string): Promise<void> {
    await this.page.getByLabel("Your question").fill(question);
    await this.page.getByRole("button", { name: "Ask" }).click();
  }

  /** Lets the server write so many more words of the answer. */
  async write(words: number): Promise<void> {
    await this.page.waitForURL(/run=/);
    const response = await fetch(this.run, { method: "POST", body: String(words) });
    if (!response.ok) throw new Error(`The run answered ${response.status}.`);
    this.written += words;
  }

  /** Lets the answer go on by so many words, until the page has them and the question. */
  async goOn(words: number): Promise<void> {
    await this.write(words);
    await this.atLeast("messages", this.written + 1);
  }

  /** Lets the server write the rest of the answer. */
  async writeAll(): Promise<void> {
    if (this.written < ALL_WORDS) await this.write(ALL_WORDS);
  }

  /** What the page says of its stream, for a failure. */
  report = async () => `${await this.text("kind")}, ${await this.text("state")}, ${await this.text("messages")} messages of ${this.written} words\n${await this.text("log")}`;

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
  sent = () => textOf(this.run);

  close = () => this.page.context().close();
}
