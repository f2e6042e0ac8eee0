import { createTransport, type StreamMessage, type Transport, type TransportKind } from "../src/index.js";
import { createTally } from "./tally.js";
import { createAnswer, element, note, show } from "./view.js";

/** Small, so that it fills while somebody is looking. */
const CAPACITY = 64;

const SLOW_PAUSE = 330;

/** Where and how a run is read. */
export interface Path {
  readonly form: TransportKind;
  readonly origin: string;
}

export type Reader = ReturnType<typeof createReader>;

/** Shows one run, over one transport after the other: each goes on after the last message that was shown. */
export function createReader(run: string, isSlow: () => boolean) {
  const answer = createAnswer();
  const tally = createTally();
  let shown: string | undefined;                    // the id of the last message that is on the page
  let messages = 0;
  let reconnects = 0;                               // of transports that are closed
  let transport: Transport | undefined;
  let current = 0;                                  // counts transports; loops of earlier ones end
  const timer = setInterval(refresh, 200);

  return {
    /** Reads on over this path. */
    read(path: Path): void {
      leave();
      transport = open(path);
      refresh();
      void consume(transport, ++current);
    },
    /** Asks the server to stop producing. */
    async stop(): Promise<void> {
      await transport?.stop();
    },
    /** Leaves the run, which goes on. */
    close(): void {
      current++;
      leave();
      clearInterval(timer);
    },
  };

  function open({ form, origin }: Path): Transport {
    const next = createTransport({
      transport: form,
      url: `${origin}/streams/${run}`,
      lastEventId: shown,
      connectTimeout: 4000,
      probeTimeout: 1500,
      reconnect: { initialDelay: 300, maxDelay: 2000, maxAttempts: 30 },
      buffer: { capacity: CAPACITY },
    });
    next.on("connected", ({ resumedFrom }) => note(`${resumedFrom === undefined ? "connected" : `went on after ${resumedFrom}`} (${next.kind})`, "good"));
    next.on("reconnecting", ({ attempt, delay }) =>
      note(`${next.getSnapshot().error?.code ?? "lost"}; attempt ${attempt} in ${milliseconds(delay)}`, "bad"));
    next.on("backpressure", ({ size }) => note(`buffer fills up: ${size} wait; the sender slows down`));
    next.on("drain", () => note("buffer drained"));
    next.on("gap", () => note("something may be missing here", "bad"));
    next.subscribe(({ state }) => next == transport && showState(state == "closed" ? "idle" : state));
    return next;
  }

  async function consume(reading: Transport, turn: number): Promise<void> {
    answer.setBusy(true);
    element("ending").hidden = true;
    try {
      for await (const message of reading) {
        if (turn != current) return;
        take(message);
        if (isSlow()) await new Promise((resolve) => setTimeout(resolve, SLOW_PAUSE));
      }
    } catch {
      // The ending says it.
    }
    const end = await reading.completion;
    if (turn != current) return;
    answer.draw();
    answer.setBusy(false);
    refresh();
    showState(end.reason);
    show("ending", end.error ? `${end.reason}: ${end.error.message}` : `${end.reason}: ${messages} messages, ${tally.lost} lost, ${tally.repeated} repeated, ${count()} reconnects.`);
    element("ending").hidden = false;
    note(end.reason, end.error ? "bad" : "good");
    element<HTMLButtonElement>("stop").disabled = true;
  }

  function take(message: StreamMessage): void {
    const { id, type, data } = message;
    if (id !== undefined) {
      if (!tally.add(id)) return;
      shown = id;
    }
    messages++;
    if (type == "question") show("question", data);
    else answer.append(data);
  }

  function count(): number {
    return reconnects + (transport?.getMetrics().reconnectAttempts ?? 0);
  }

  function leave(): void {
    reconnects = count();
    const left = transport;
    transport = undefined;
    void left?.close();
  }

  function refresh(): void {
    if (!transport) return;
    const { kind, latencyP95, bufferSize } = transport.getMetrics();
    show("lost", tally.lost);
    show("repeated", tally.repeated);
    element("lost").parentElement?.classList.toggle("broken", tally.lost > 0);
    element("repeated").parentElement?.classList.toggle("broken", tally.repeated > 0);
    show("messages", messages);
    show("reconnects", count());
    show("kind", kind);
    show("latency", messages ? milliseconds(latencyP95) : "–");
    show("cursor", transport.lastEventId ?? "–");
    show("buffer-text", `${bufferSize} of ${CAPACITY}`);
    element<HTMLMeterElement>("buffer").value = bufferSize;
  }
}

function showState(state: string): void {
  show("state", state);
  element("state").dataset["state"] = state;
}

const milliseconds = (value: number): string => (value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`);
