import type { Settings } from "./settings.js";
import { after } from "./waiting.js";

/**
 * Tells of a connection on which nothing arrives for too long while somebody reads: a full buffer or a pause is our silence, not the
 * peer's. `look` is for whoever knows that time has passed unseen, as it does while a machine sleeps.
 */
export function watchSilence({ services }: Settings, limit: number, onSilence: () => void) {
  let heard = services.now();
  let isReading = false;
  let cancel = () => {};
  look();
  return {
    look,
    heard: () => (heard = services.now()),
    setReading(value: boolean) {
      isReading = value;
      if (value) heard = services.now();
    },
    end: () => cancel(),
  };

  function look(): void {
    const left = isReading ? Math.min(heard + limit - services.now(), limit) : limit;
    cancel();
    if (left > 0) cancel = after(services, left, look);
    else onSilence();
  }
}
