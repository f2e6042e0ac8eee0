import { getCurrentInstance, type MaybeRefOrGetter, onMounted, onScopeDispose, shallowRef, type ShallowRef, toValue, watch } from "vue";
import { createTransport, type AnyTransportOptions } from "./index.js";
import { createTransport as createSse } from "./sse.js";
import type { StoreOptions, StreamSource, StreamView } from "./store.js";
import { dataOf, openStore } from "./stream-store.js";
import type { Transport, TransportOptions } from "./types.js";
import { createTransport as createWebSocket } from "./websocket.js";

export type { StreamOptions, StreamSource, StreamView } from "./store.js";

type View<Of extends Transport | undefined = Transport> = Readonly<ShallowRef<StreamView<Of>>>;

/** A composable that shows a stream. Where its source has no value there is no stream yet. */
export interface StreamComposable<Options> {
  (source: MaybeRefOrGetter<NonNullable<StreamSource<Options>>>): View;
  (source: MaybeRefOrGetter<StreamSource<Options>>): View<Transport | undefined>;
}

/** A {@link StreamComposable} that joins text: that which `text` makes of each message, or else all data. */
export interface TextComposable<Options> {
  (source: MaybeRefOrGetter<NonNullable<StreamSource<Options>>>, text?: StoreOptions["text"]): View;
  (source: MaybeRefOrGetter<StreamSource<Options>>, text?: StoreOptions["text"]): View<Transport | undefined>;
}

/**
 * A stream in any form, or a transport you made yourself. A ref or a getter is followed: another `url` or `key` is another stream.
 *
 * ```ts
 * const stream = useTransport({ transport: "auto", url: "/streams/42" });     // stream.value.messages
 * ```
 */
export const useTransport: StreamComposable<AnyTransportOptions> = (source: MaybeRefOrGetter<StreamSource<AnyTransportOptions>>) => useStore(createTransport, source);

/** A stream over SSE. */
export const useSSE: StreamComposable<TransportOptions> = (source: MaybeRefOrGetter<StreamSource<TransportOptions>>) => useStore(createSse, source);

/** A stream over WebSocket. */
export const useWebSocket: StreamComposable<TransportOptions> = (source: MaybeRefOrGetter<StreamSource<TransportOptions>>) => useStore(createWebSocket, source);

/**
 * An answer as one text, of a stream in any form.
 *
 * ```ts
 * const answer = useStreamText(() => question.value && { url: "/api/chat", body: { question: question.value }, key: question.value });
 * ```
 */
export const useStreamText: TextComposable<AnyTransportOptions> = (source: MaybeRefOrGetter<StreamSource<AnyTransportOptions>>, text: StoreOptions["text"] = dataOf) =>
  useStore(createTransport, source, text);

function useStore<Options extends TransportOptions>(create: (options: Options) => Transport, source: MaybeRefOrGetter<StreamSource<Options>>, text?: StoreOptions["text"]): View {
  const store = shallowRef(openStore(create, toValue(source), text));
  const view = shallowRef(store.value.getSnapshot() as StreamView);
  watch(() => toValue(source), (next) => {
    if (!store.value.renew(next)) store.value = openStore(create, next, text);
  });
  let end = () => {};
  const begin = () => watch(store, ({ subscribe }) => (end(), (end = subscribe((value) => (view.value = value as StreamView)))), { immediate: true });
  if (getCurrentInstance()) onMounted(begin);      // never while a server renders
  else begin();
  onScopeDispose(() => end());
  return view;
}
