import type { TransportServices } from "./types.js";

interface Dispatcher {
  dispatch(options: object, handler: object): boolean;
}

/** Where undici, which is the `fetch` of Node, keeps what makes its requests. */
const UNDICI = Symbol.for("undici.globalDispatcher.1");

/** That of Node ends a response after five minutes without a byte. How much silence is too much is for `idleTimeout` to say. */
const dispatcher: Dispatcher = {
  dispatch: (options, handler) => (globalThis as unknown as Record<symbol, Dispatcher>)[UNDICI]!.dispatch({ ...options, bodyTimeout: 0, headersTimeout: 0 }, handler),
};

/** The platform's `fetch`, without time limits of its own. */
export const platformFetch: TransportServices["fetch"] = (url, init) => fetch(url, IN_NODE && UNDICI in globalThis ? ({ ...init, dispatcher } as RequestInit) : init);
