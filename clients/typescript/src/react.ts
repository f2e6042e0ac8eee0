import { useMemo, useSyncExternalStore } from "react";
import { createTransport, type AnyTransportOptions } from "./index.js";
import { createTransport as createSse } from "./sse.js";
import { createStore, type StoreOptions, type StreamView } from "./store.js";
import type { Transport, TransportOptions } from "./types.js";
import { createTransport as createWebSocket } from "./websocket.js";

export type { StreamView } from "./store.js";

/** Options of a hook. Another `url` or `key` makes another transport; other changes wait for the next one. */
export interface HookOptions extends StoreOptions {
  readonly key?: string | number | undefined;
}

/**
 * A stream in any form, or a transport you made yourself, which stays open when the component goes.
 *
 * ```tsx
 * const { messages, state, transport } = useTransport({ transport: "auto", url: "/streams/42" });
 * ```
 */
export const useTransport = (source: Transport | (AnyTransportOptions & HookOptions)): StreamView =>
  "subscribe" in source
    ? useStore(() => createStore(source, { closes: false }), source)
    : useStore(() => createStore(createTransport(source), source), keyOf(source));

/** A stream over SSE. */
export const useSSE = (options: TransportOptions & HookOptions): StreamView => useStore(() => createStore(createSse(options), options), keyOf(options));

/** A stream over WebSocket. */
export const useWebSocket = (options: TransportOptions & HookOptions): StreamView =>
  useStore(() => createStore(createWebSocket(options), options), keyOf(options));

const keyOf = ({ url, key }: TransportOptions & HookOptions): string => `${url} ${key}`;

function useStore(create: () => ReturnType<typeof createStore>, key: unknown): StreamView {
  const store = useMemo(create, [key]);
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
}
