import { passing, type TransportError } from "./errors.js";
import type { TransportServices } from "./types.js";

/**
 * What a page tells of itself. A network that is back and a page that is looked at again end a wait, and show at once whether a
 * connection slept too long. A page that is put away (left, or kept for the back button) gives up its connection, which keeps it
 * eligible for the back-forward cache, and connects again when it is shown.
 */
export function watchHost({ host }: TransportServices, wake: () => void, drop: (reason: TransportError) => void) {
  let isAway = false;
  let onShown: (() => void)[] = [];
  const hidden = () => {
    isAway = true;
    drop(passing("connection-lost", "page hidden"));
  };
  const shown = () => {
    isAway = false;
    for (const resolve of onShown.splice(0)) resolve();
    wake();
  };
  const visible = () => {
    if (globalThis.document?.visibilityState != "hidden") wake();
  };
  const watched = { online: wake, visibilitychange: visible, pagehide: hidden, pageshow: shown };

  return {
    begin() {
      for (const [name, handler] of Object.entries(watched)) host?.addEventListener(name, handler);
    },
    end() {
      isAway = false;
      for (const [name, handler] of Object.entries(watched)) host?.removeEventListener(name, handler);
    },
    whenShown: () => (isAway ? new Promise<void>((resolve) => onShown.push(resolve)) : Promise.resolve()),
  };
}
