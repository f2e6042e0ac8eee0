import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Reading } from "../pages/reader.js";
import type { TransportKind } from "../../src/types.js";
import { launch } from "./browser.js";
import { Site } from "./site.js";
import { TestServer } from "./test-server.js";
import { TestOrders } from "../suite/order.js";

/** What a page is to read, and over which line. */
export interface ToRead {
  readonly kind: TransportKind;
  readonly url: string;
  readonly count: number;
  /** The wait before a reconnect, in milliseconds. */
  readonly delay?: number;
}

/** Pages in a real browser, a real server, and lines between them that break. */
export class OpenPages {
  private constructor(
    private readonly server: TestServer,
    private readonly site: Site,
    readonly browser: Browser,
  ) {}

  static async start(): Promise<OpenPages> {
    // The cache of pages one went back from is off in automated browsers, which is not what people have.
    const browser = await launch({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
    return new OpenPages(await TestServer.start(), await new Site("build/site").listen(), browser);
  }

  get orders(): TestOrders {
    return new TestOrders(this.server.url);
  }

  get serverUrl(): string {
    return this.server.url;
  }

  /** Another visitor. */
  async visitor(): Promise<BrowserContext> {
    const context = await this.browser.newContext();
    context.setDefaultTimeout(90_000);
    return context;
  }

  /** A page of this name. */
  async open(context: BrowserContext, name: string, query: object = {}): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => console.error(name, error));
    await page.goto(`${this.site.url}${name}?${new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]))}`);
    return page;
  }

  /** A page that reads a run. */
  async read(context: BrowserContext, what: ToRead): Promise<ReadingPage> {
    return new ReadingPage(await this.open(context, "reader", what));
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.site[Symbol.asyncDispose]();
    await this.server.close();
  }
}

/** A page that reads a run, and says how far it is. */
export class ReadingPage {
  constructor(readonly page: Page) {}

  reading = (): Promise<Reading> => this.page.evaluate(() => window.reading());

  /** Waits until so much was read. */
  atLeast = (count: number) => this.page.waitForFunction((count) => window.reading?.().next >= count, count);

  /** Waits until the transport is in this state. */
  is = (state: string) => this.page.waitForFunction((state) => window.reading?.().snapshot.state == state, state);

  /** Waits for the end, and returns what was lost and repeated on the way. */
  async end(): Promise<Reading> {
    await this.page.waitForFunction(() => window.reading?.().isOver);
    return await this.reading();
  }
}
