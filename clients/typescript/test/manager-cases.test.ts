import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import type { Connection, Protocol } from "../src/connection.js";
import { passing, TransportError } from "../src/errors.js";
import { createManager, type ManagerEvents, type ManagerOptions, type TransportManager } from "../src/manager.js";
import { createMessage, type Incoming } from "../src/message.js";
import type { Transport } from "../src/types.js";
import { createBell } from "../src/waiting.js";
import { settled } from "./support/manual-clock.js";

type Step = readonly [name: string, about?: unknown];

interface Case extends Omit<ManagerOptions, "circuitBreaker"> {
  readonly name: string;
  readonly maxTransports?: number;
  readonly sweepsAutomatically?: boolean;
  readonly circuitBreaker?: ManagerOptions["circuitBreaker"] | null;
  readonly steps: readonly Step[];
}

/** The clock goes on in steps of this, so that what follows from one timer is there before the next. */
const TICK = 100;

const eventOf: Record<string, keyof ManagerEvents> = { created: "transport:created", connected: "transport:connected", removed: "transport:removed", checked: "health:check" };

/** A manager whose transports have connections in the hands of the test. */
class ManagedCase {
  readonly #manager: TransportManager;
  readonly #members = new Map<string, { readonly transport: Transport; readonly memory: MemoryPeer }>();
  readonly #clock: TestContext["mock"]["timers"];
  #host = "alive";
  #checks = 0;

  constructor({ mock }: TestContext, { maxTransports, maxIdleTime, healthCheckInterval, sweepsAutomatically, circuitBreaker }: Case) {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
    mock.method(performance, "now", Date.now);
    mock.method(console, "error", () => {});      // of handlers that throw
    this.#clock = mock.timers;
    this.#manager = createManager({
      maxPoolSize: maxTransports,
      maxIdleTime: maxIdleTime === null ? Infinity : maxIdleTime,
      healthCheckInterval: healthCheckInterval ?? Infinity,
      autoCleanup: sweepsAutomatically,
      circuitBreaker: circuitBreaker === null ? false : circuitBreaker,
    });
  }

  async run([name, about]: Step): Promise<void> {
    if (name == "advance") for (let left = about as number; left > 0; left -= TICK) await this.#tick(Math.min(TICK, left));
    else if (name == "sweep") this.#manager.sweep();
    else if (name == "host") this.#host = about as string;
    else if (name == "throw") this.#manager.on(eventOf[about as string]!, fail);
    else if (name == "create") this.#create(about as string);
    else if (name == "full") assert.throws(() => this.#create("one more"), RangeError);
    else if (typeof about == "string" && this.#members.has(about)) this.#act(name, about);
    else assert.deepEqual(this.#look(name, about as object), about, name);
    await settled();
  }

  /** Only now: a handler that throws comes before the one that counts. */
  count(): void {
    this.#manager.on("health:check", () => this.#checks++);
  }

  end = () => this.#manager.destroy();

  async #tick(milliseconds: number): Promise<void> {
    this.#clock.tick(milliseconds);
    await settled();
  }

  #create(name: string): void {
    const memory = new MemoryPeer(() => this.#host);
    const transport = this.#manager.createTransport({ transport: memory.protocol, url: "http://memory.test/", idleTimeout: Infinity, reconnect: { jitter: false } });
    this.#members.set(name, { transport, memory });
  }

  #act(action: string, name: string): void {
    const { transport, memory } = this.#members.get(name)!;
    if (action == "connect") transport.connect().catch(() => {});
    else if (action == "read") void transport.read().next();
    else if (action == "handle") transport.on("event", () => {});
    else if (action == "pause") transport.pause();
    else if (action == "resume") transport.resume();
    else memory.say(action);
  }

  #look(what: string, expected: object): unknown {
    if (what == "checks") return this.#checks;
    if (what == "breaker") return this.#manager.getBrokenOrigins()["http://memory.test"] ?? "closed";
    const health = new Map(this.#manager.getHealth().map(({ id, status }) => [id, status]));
    const views: Record<string, (name: string) => unknown> = {
      pool: (name) => health.get(this.#members.get(name)!.transport.id),
      states: (name) => this.#members.get(name)!.transport.state,
      attempts: (name) => this.#members.get(name)!.memory.attempts,
    };
    const names = what == "pool" ? [...this.#members].filter(([, { transport }]) => health.has(transport.id)).map(([name]) => name) : Object.keys(expected);
    return Object.fromEntries(names.map((name) => [name, views[what]!(name)]));
  }
}

/** What one transport connects to. */
class MemoryPeer {
  attempts = 0;
  #said: (Incoming[] | TransportError | undefined)[] = [];
  readonly #bell = createBell();

  constructor(private readonly host: () => string) {}

  readonly protocol: Protocol = {
    kind: "memory",
    create: () => async ({ signal }) => {
      this.attempts++;
      if (this.host() == "dead") throw passing("connect-failed", "memory.test");
      if (this.host() == "unwell") throw passing("http-status", 503, { status: 503 });
      this.#said = [];
      return {
        marksEnd: false,
        repeatsSends: () => false,
        bytes: 0,
        read: async () => {
          await this.#bell.until(() => this.#said.length, signal);
          const next = this.#said.shift();
          if (next instanceof TransportError) throw next;
          return next;
        },
        classify: () => "message",
        canResume: () => true,
        send: async () => "sent",
        stop: async () => {},
        close() {},
      } satisfies Connection;
    },
  };

  say(what: string): void {
    this.#said.push(
      what == "message" ? [{ message: createMessage("hello", "1"), id: "1" }]
      : what == "heartbeat" ? []
      : what == "complete" ? undefined
      : new TransportError("connection-lost", "broken by the test", { transient: what == "break" }),
    );
    this.#bell.ring();
  }
}

function fail(): never {
  throw new Error("oops");
}

for (const each of (JSON.parse(readFileSync("../../conformance/manager.json", "utf8")) as { cases: Case[] }).cases) {
  test(`manager: ${each.name}`, async (context) => {
    const managed = new ManagedCase(context, each);
    for (const step of each.steps.filter(([name]) => name == "throw")) await managed.run(step);
    managed.count();
    for (const [index, step] of each.steps.filter(([name]) => name != "throw").entries()) {
      await managed.run(step).catch((error: Error) => {
        error.message = `step ${index}, ${JSON.stringify(step)}: ${error.message}`;
        throw error;
      });
    }
    await managed.end();
  });
}
