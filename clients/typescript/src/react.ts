import { useEffect, useMemo, useSyncExternalStore } from "react";
import { createTransport, type AnyTransportOptions } from "./index.js";
import { createTransport as createSse } from "./sse.js";
import type { StoreOptions, StreamSource, StreamView } from "./store.js";
import { dataOf, identityOf, openStore } from "./stream-store.js";
import type { Transport, TransportOptions } from "./types.js";
import { createTransport as createWebSocket } from "./websocket.js";

export type { StreamOptions, StreamSource, StreamView } from "./store.js";

/** A hook that shows a stream. Without a source there is no stream yet. */
export interface StreamHook<Options> {
  (source: NonNullable<StreamSource<Options>>): StreamView;
  (source: StreamSource<Options>): StreamView<Transport | undefined>;
}

/** A {@link StreamHook} that joins text: that which `text` makes of each message, or else all data. */
export interface TextHook<Options> {
  (source: NonNullable<StreamSource<Options>>, text?: StoreOptions["text"]): StreamView;
  (source: StreamSource<Options>, text?: StoreOptions["text"]): StreamView<Transport | undefined>;
}

/**
 * A stream in any form, or a transport you made yourself, which stays open when the component goes.
 *
 * ```tsx
 * const { messages, state, transport } = useTransport({ transport: "auto", url: "/streams/42" });
 * ```
 */
export const useTransport: StreamHook<AnyTransportOptions> = (source: StreamSource<AnyTransportOptions>) => useStore(createTransport, source);

/** A stream over SSE. */
export const useSSE: StreamHook<TransportOptions> = (source: StreamSource<TransportOptions>) => useStore(createSse, source);

/** A stream over WebSocket. */
export const useWebSocket: StreamHook<TransportOptions> = (source: StreamSource<TransportOptions>) => useStore(createWebSocket, source);

/**
 * An answer as one text, of a stream in any form.
 *
 * ```tsx
 * const { text } = useStreamText(question && { url: "/api/chat", body: { question }, key: question });
 * ```
 */
export const useStreamText: TextHook<AnyTransportOptions> = (source: StreamSource<AnyTransportOptions>, text: StoreOptions["text"] = dataOf) =>
  useStore(createTransport, source, text);

function useStore<Options extends TransportOptions>(create: (options: Options) => Transport, source: StreamSource<Options>, text?: StoreOptions["text"]): StreamView {
  const store = useMemo(() => openStore(create, source, text), [identityOf(source)]);
  useEffect(() => void store.renew(source));
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot) as StreamView;
}
