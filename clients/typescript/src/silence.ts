import type { TransportServices } from "./types.js";
import { after } from "./waiting.js";

/**
 * Calls `onSilence` when nothing was heard for longer than is allowed. Call `allow` first. Silence counts only while `counts` is true: while
 * the buffer is full or paused, nothing is read, which is not the peer's fault. Whoever sets `counts` to true again also calls `heard`.
 * Call `look` after the machine may have slept, because timers stand still meanwhile.
 */
export function watchSilence(services: TransportServices, onSilence: (limit: number) => void) {
  let limit: number;
  let heardAt: number;
  let cancel = () => {};
  const silence = {
    counts: true,
    /** Allows so much silence from now on. */
    allow(milliseconds: number) {
      limit = milliseconds;
      silence.heard();
      silence.look();
    },
    heard() {
      heardAt = services.now();
    },
    look() {
      // At most the limit, should the clock have gone back.
      const left = silence.counts ? Math.min(heardAt + limit - services.now(), limit) : limit;
      cancel();
      if (left > 0) cancel = after(services, left, silence.look);
      else onSilence(limit);
    },
  };
  return silence;
}
