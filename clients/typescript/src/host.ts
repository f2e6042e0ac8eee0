import { passing, type TransportError } from "./errors.js";
import type { TransportServices } from "./types.js";

/**
 * What a page tells of itself. A network that is back and a page that is looked at again end a wait, and show at once whether a
 * connection slept too long. A page that is put away (left, or kept for the back button) gives up its connection, which keeps it
 * eligible for the back-forward cache, and connects again when it is shown.
 */
export function watchHost({ host }: TransportServices, stop: AbortSignal, wake: () => void, leave: (reason: TransportError) => void) {
  const watched = { isAway: false };
  for (const name of ["online", "visibilitychange", "pagehide", "pageshow"]) host?.addEventListener(name, onEvent, { signal: stop });
  return watched;

  function onEvent({ type }: Event): void {
    if (type.startsWith("page")) watched.isAway = type == "pagehide";
    if (watched.isAway) leave(passing("connection-lost", "page hidden"));
    else if (type != "visibilitychange" || globalThis.document?.visibilityState != "hidden") wake();
  }
}
