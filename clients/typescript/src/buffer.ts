import type { Message } from "./message.js";
import type { Settings } from "./settings.js";
import type { ResumePoint, TransportEvents } from "./types.js";
import type { Bell } from "./waiting.js";

/** The queue between one writer, the connection loop, and one reader. */
export type Buffer = ReturnType<typeof createBuffer>;

/** A place in the stream, wherever that is. */
type Place = Omit<ResumePoint, "url">;

/** Latencies that are remembered. */
const SAMPLES = 256;

export function createBuffer(
  { buffer: { capacity, fullMode, highWaterMark }, services }: Settings,
  bell: Bell,
  start: Place,
  notice: <Name extends "backpressure" | "drain" | "dropped">(name: Name, detail: TransportEvents[Name]) => void,
) {
  const mark = Math.ceil(capacity * highWaterMark);
  let items: { readonly message: Message; readonly at: number; place: Place }[] = [];
  let head = 0;                                     // items before it are taken
  let aboveMark = false;
  let taken = 0;

  const buffer = {
    latencies: [] as number[],
    dropped: 0,
    paused: false,
    /** Where a reader goes on elsewhere: after the last message it took. */
    place: start,
    /** How many were ever taken in: the place in the stream at which an event happens. */
    appended: 0,
    size: () => items.length - head,
    /** Whether there is room, and hand-over is not paused. */
    isReady: () => !buffer.paused && (fullMode != "block" || buffer.size() < capacity),

    /** Whether the message is dealt with, taken in or dropped; else the writer must wait. Whoever took it goes on at this place. */
    append(message: Message, place = start): boolean {
      if (!buffer.isReady()) return false;
      if (fullMode != "unlimited" && buffer.size() >= capacity) {
        buffer.dropped++;
        if (fullMode == "drop-oldest") remove();
        notice("dropped", { count: 1, total: buffer.dropped });
        if (fullMode == "drop-newest") return true;
      }
      items.push({ message, at: services.now(), place });
      buffer.appended++;
      const size = buffer.size();
      if (!aboveMark && size >= mark) {
        aboveMark = true;
        notice("backpressure", { size, capacity, mark });
      }
      bell.ring();
      return true;
    },

    /** An id came without a message: it follows the messages that are here. */
    moveTo(place: Place): void {
      (buffer.size() ? items.at(-1)! : buffer).place = place;
    },

    /** The next message, unless there is none or hand-over is paused. */
    take(): Message | undefined {
      if (buffer.paused || !buffer.size()) return undefined;
      const { message, at, place } = remove();
      buffer.place = place;
      const size = buffer.size();
      buffer.latencies[taken++ % SAMPLES] = services.now() - at;
      if (aboveMark && size < mark) {
        aboveMark = false;
        notice("drain", { size });
      }
      if (size <= capacity / 2) bell.ring();      // one wake-up for many messages
      return message;
    },
  };
  return buffer;

  function remove() {
    const item = items[head]!;
    if (++head * 2 > items.length) {
      items = items.slice(head);
      head = 0;
    }
    return item;
  }
}
