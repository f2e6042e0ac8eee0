import type { TransportServices } from "./types.js";
import { after } from "./waiting.js";

/**
 * Tells when nothing was heard for longer than is allowed while it counts: a full buffer or a pause is our silence, not the peer's.
 * `look` is for whoever knows that time has passed unseen, as it does while a machine sleeps.
 */
export function watchSilence(services: TransportServices, onSilence: (limit: number) => void) {
  let limit: number;
  let heardAt: number;
  let cancel = () => {};
  const silence = {
    counts: true,
    /** From now on so much silence is allowed. */
    allow(milliseconds: number) {
      limit = milliseconds;
      silence.heard();
      silence.look();
    },
    heard() {
      heardAt = services.now();
    },
    look() {
      const left = silence.counts ? Math.min(heardAt + limit - services.now(), limit) : limit;
      cancel();
      if (left > 0) cancel = after(services, left, silence.look);
      else onSilence(limit);
    },
  };
  return silence;
}
