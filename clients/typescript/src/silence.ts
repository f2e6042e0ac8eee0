import type { TransportServices } from "./types.js";
import { after } from "./waiting.js";

/**
 * Tells when nothing was heard for too long while it counts: a full buffer or a pause is our silence, not the peer's. `look` is for
 * whoever knows that time has passed unseen, as it does while a machine sleeps.
 */
export function watchSilence(services: TransportServices, limit: number, onSilence: () => void) {
  let heardAt: number;
  let cancel = () => {};
  const silence = {
    counts: true,
    heard() {
      heardAt = services.now();
    },
    look() {
      const left = silence.counts ? Math.min(heardAt + limit - services.now(), limit) : limit;
      cancel();
      if (left > 0) cancel = after(services, left, silence.look);
      else onSilence();
    },
    end: () => cancel(),
  };
  silence.heard();
  silence.look();
  return silence;
}
