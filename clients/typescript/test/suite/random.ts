import assert from "node:assert/strict";
import type { TransportError } from "../../src/errors.js";
import type { StreamMessage, Transport, TransportKind } from "../../src/types.js";
import { seeded } from "../support/seeded.js";
import { connectTo } from "../support/forms.js";
import type { TestOrders } from "./order.js";

const COUNT = 40;
const STEPS = 25;

/** Nothing needs so long: what has not settled then never does. */
const PATIENCE = 60_000;

interface Sent {
  readonly text: string;
  outcome?: string;
}

/** Random calls on one transport, over a line that is cut: every promise settles, nothing is lost, nothing comes twice. */
export async function callAtRandom(kind: TransportKind, orders: TestOrders, seed: number): Promise<void> {
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const isOpen = below(2) == 0;
  const run = await orders.run({ count: COUNT, end: isOpen ? "open" : "completed" });
  const line = await orders.line({ seed, minBytes: 300, maxBytes: 300 + below(6_000) });
  const stop = new AbortController();
  const buffer = { capacity: 1 + below(20) };
  const transport = connectTo(kind, line.to(run), { buffer, signal: stop.signal, reconnect: { maxAttempts: 50 }, ...(kind == "long-poll" && { idleTimeout: 3_000 }) });
  const calls = new Map<string, Promise<unknown>>();
  const sent: Sent[] = [];
  const read: string[] = [];
  const trace: string[] = [];
  let reader: AsyncGenerator<StreamMessage, void, void> | undefined;

  const call = (name: string, promise: Promise<unknown>) => void calls.set(`${calls.size} ${name}`, promise.catch(() => {}));
  const actions: readonly (readonly [string, () => void | Promise<unknown>])[] = [
    ["connect", () => call("connect", transport.connect(below(4) ? {} : { signal: AbortSignal.timeout(below(5)) }))],
    ["read", take],
    ["read", take],
    ["read", take],
    ["return", () => reader && call("return", reader.return())],
    ["pause", () => transport.pause()],
    ["resume", () => transport.resume()],
    ["resume", () => transport.resume()],
    ["send", send],
    ["send", send],
    ["send", send],
    ["cut", () => line.act("cut")],
    ["cut", () => line.act("cut")],
    ["stall", () => line.act("stall")],
    ["let through", () => line.act("resume")],
    ["stop", () => below(4) || call("stop", transport.stop())],
    ["close", () => below(3) || call("close", transport.close())],
    ["abort", () => below(8) || stop.abort()],
    ["bad", () => call("bad", transport.sendJson(undefined))],
  ];

  for (let step = 0; step < STEPS; step++) {
    const [name, act] = actions[below(actions.length)]!;
    trace.push(name);
    await act();
    if (below(2)) await new Promise((resolve) => setTimeout(resolve, below(4)));
  }
  transport.resume();
  call("close", transport.close());
  call("completion", transport.completion);
  await settle(calls, () => `${kind}, seed ${seed}, state ${transport.state}, after ${trace.join(" ")}`);
  assert.equal(transport.state == "closed" || transport.state == "failed", true);
  await readRest(transport, read);
  checkRead(read, `${kind}, seed ${seed}`);
  const acknowledged = sent.filter(({ outcome }) => outcome == "acknowledged").map(({ text }) => text);
  let { received } = await orders.state(run);
  // Acknowledged is recorded: the producer gets it next, unless it has ended.
  const goesOn = isOpen && ![...calls.keys()].some((name) => name.endsWith("stop"));
  while (goesOn && acknowledged.some((text) => !received.includes(text))) ({ received } = await orders.state(run));
  checkSent(sent, acknowledged, received, `${kind}, seed ${seed}`);

  function take(): void {
    reader ??= transport.read();
    const own = reader;
    call("read", (async () => {
      for (let left = below(10); left > 0; left--) {
        const { value, done } = await own.next().finally(() => (reader = own == reader ? reader : undefined));
        if (value) read.push(value.data);
        if (!done) continue;
        if (reader == own) reader = undefined;
        return;
      }
    })().catch(() => {
      if (reader == own) reader = undefined;
    }));
  }

  function send(): void {
    const message: Sent = { text: `message ${sent.length}` };
    sent.push(message);
    const back = below(5) ? {} : { signal: AbortSignal.timeout(below(5)) };
    call("send", transport.send(message.text, back).then(
      (outcome) => (message.outcome = outcome),
      (error: TransportError) => (message.outcome = error.delivery ?? "given up"),
    ));
  }
}

async function settle(calls: Map<string, Promise<unknown>>, describe: () => string): Promise<void> {
  const pending = new Set(calls.keys());
  for (const [name, promise] of calls) void promise.then(() => pending.delete(name));
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE)));
  await Promise.race([Promise.all(calls.values()), late]);
  clearTimeout(timer!);
  assert.deepEqual([...pending], [], describe());
}

/** What had arrived before the end can still be read. */
async function readRest(transport: Transport, read: string[]): Promise<void> {
  try {
    for await (const { data } of transport) read.push(data);
  } catch {
    // It had failed.
  }
}

function checkRead(read: readonly string[], where: string): void {
  assert.deepEqual(read.map((data) => Number(/\d+/.exec(data)?.[0])), read.map((_, index) => index), where);
}

/** What was acknowledged arrived in order; what certainly was not sent did not arrive; all arrived once at most. */
function checkSent(sent: readonly Sent[], acknowledged: readonly string[], received: readonly string[], where: string): void {
  const note = `${where}: ${JSON.stringify(sent)} ${JSON.stringify(received)}`;
  assert.equal(new Set(received).size, received.length, note);
  const arrived = received.filter((text) => acknowledged.includes(text));
  assert.deepEqual(arrived, acknowledged.filter((text) => arrived.includes(text)), note);
  for (const { text, outcome } of sent) assert.ok(outcome != "not-sent" || !received.includes(text), note);
}
