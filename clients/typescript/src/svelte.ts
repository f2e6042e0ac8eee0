import { createTransport, type AnyTransportOptions } from "./index.js";
import { createTransport as createSse } from "./sse.js";
import { createStore, type StoreOptions, type StreamStore } from "./store.js";
import type { TransportOptions } from "./types.js";
import { createTransport as createWebSocket } from "./websocket.js";

export type { StreamStore, StreamView } from "./store.js";

/**
 * A stream in any form, as a store: connected while a component looks at it.
 *
 * ```svelte
 * <script>
 *   const stream = transportStore({ transport: "auto", url: "/streams/42" });
 * </script>
 * {#each $stream.messages as message}{message.data}{/each}
 * ```
 */
export const transportStore = (options: AnyTransportOptions & StoreOptions): StreamStore => createStore(createTransport(options), options);

/** A stream over SSE. */
export const sseStore = (options: TransportOptions & StoreOptions): StreamStore => createStore(createSse(options), options);

/** A stream over WebSocket. */
export const websocketStore = (options: TransportOptions & StoreOptions): StreamStore => createStore(createWebSocket(options), options);
