import type { Message } from "./message.js";
import type { Settings } from "./settings.js";
import type { StreamEnd } from "./types.js";
import { within } from "./waiting.js";

/** The queue between one writer, the connection loop, and one reader. */
export type Buffer = ReturnType<typeof createBuffer>;

/** Latencies that are remembered. */
const SAMPLES = 256;

export function createBuffer(
  { buffer: { capacity, fullMode, highWaterMark }, services }: Settings,
  notice: (name: "backpressure" | "drain" | "dropped", detail: never) => void,
) {
  const mark = Math.max(1, Math.ceil(capacity * highWaterMark));
  let items: { readonly message: Message; readonly at: number }[] = [];
  let head = 0;                                     // items before it are taken
  let appended = 0;                                 // ever: the place in the stream at which an event happens
  let dropped = 0;
  let aboveMark = false;
  let paused = false;
  let end: StreamEnd | undefined;
  let ready: (() => void)[] = [];                   // the writer waits
  let readable: (() => void)[] = [];                // the reader waits
  const latencies: number[] = [];
  let taken = 0;

  const size = () => items.length - head;
  const isReady = () => !paused && (fullMode != "block" || size() < capacity);
  const wake = (waiting: (() => void)[]) => waiting.splice(0).forEach((resolve) => resolve());

  return {
    latencies,
    get size() { return size(); },
    get dropped() { return dropped; },
    get appended() { return appended; },
    /** The place of the next message that is not yet taken. */
    get position() { return appended - size(); },
    get paused() { return paused; },
    get end() { return size() == 0 ? end : undefined; },

    /** Whether the message is dealt with, taken in or dropped; else the writer must wait. */
    append(message: Message): boolean {
      if (!isReady()) return false;
      const isFull = fullMode != "unlimited" && size() >= capacity;
      if (isFull) {
        dropped++;
        if (fullMode == "drop-oldest") take();
        notice("dropped", { count: 1, total: dropped } as never);
        if (fullMode == "drop-newest") return true;
      }
      items.push({ message, at: services.now() });
      appended++;
      if (!aboveMark && size() >= mark) {
        aboveMark = true;
        notice("backpressure", { size: size(), capacity, mark } as never);
      }
      if (!paused) wake(readable);
      return true;
    },

    /** Settles when there is room and hand-over is not paused. */
    async whenReady(signal: AbortSignal): Promise<void> {
      while (!isReady()) await within(new Promise<void>((resolve) => ready.push(resolve)), signal);
    },

    /** The next message, unless there is none or hand-over is paused. */
    take(): Message | undefined {
      if (paused || size() == 0) return undefined;
      const item = take();
      latencies[taken++ % SAMPLES] = services.now() - item.at;
      if (aboveMark && size() < mark) {
        aboveMark = false;
        notice("drain", { size: size() } as never);
      }
      if (size() <= capacity / 2) wake(ready);      // one wake-up for many messages
      return item.message;
    },

    /** Settles when there may be something to take, or the end was reached. */
    async whenReadable(signal: AbortSignal | undefined): Promise<void> {
      while ((paused || size() == 0) && !(end && size() == 0)) {
        await within(new Promise<void>((resolve) => readable.push(resolve)), signal);
      }
    },

    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      wake(ready);
      wake(readable);
    },
    /** No more will come; `undefined`: more will. */
    setEnd(value: StreamEnd | undefined) {
      end = value;
      wake(readable);
    },
  };

  function take() {
    const item = items[head]!;
    if (++head * 2 > items.length) {
      items = items.slice(head);
      head = 0;
    }
    return item;
  }
}
