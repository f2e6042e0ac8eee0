import type { Connection } from "./connection.js";
import type { TransportServices } from "./types.js";
import { after, onAbort, within } from "./waiting.js";

/**
 * Waits for a connection. Once the signal aborts, the form has one turn of the event loop to say what that means, such as that a request
 * must not be repeated; a form that ignores the signal is waited for no longer, and a connection that comes later is left at once.
 */
export async function opened(opening: Promise<Connection>, signal: AbortSignal, services: TransportServices): Promise<Connection> {
  const limit = new AbortController();
  let cancel = () => {};
  const stopListening = onAbort(signal, () => (cancel = after(services, 0, () => limit.abort(signal.reason))));
  void opening.then((connection) => signal.aborted && connection.close(), () => {});
  try {
    const connection = await within(opening, limit.signal);
    signal.throwIfAborted();
    return connection;
  } finally {
    cancel();
    stopListening();
  }
}
