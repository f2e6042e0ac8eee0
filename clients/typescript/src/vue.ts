import { getCurrentInstance, type MaybeRefOrGetter, onMounted, onScopeDispose, shallowRef, type ShallowRef, toValue, watch } from "vue";
import { createTransport, type AnyTransportOptions } from "./index.js";
import { createTransport as createSse } from "./sse.js";
import { createStore, type StoreOptions, type StreamView } from "./store.js";
import type { Transport, TransportOptions } from "./types.js";
import { createTransport as createWebSocket } from "./websocket.js";

export type { StreamView } from "./store.js";

/**
 * A stream in any form. A ref or a getter whose value changes makes another transport.
 *
 * ```ts
 * const stream = useTransport({ transport: "auto", url: "/streams/42" });     // stream.value.messages
 * ```
 */
export const useTransport = (options: MaybeRefOrGetter<AnyTransportOptions & StoreOptions>) => useStore(options, createTransport);

/** A stream over SSE. */
export const useSSE = (options: MaybeRefOrGetter<TransportOptions & StoreOptions>) => useStore(options, createSse);

/** A stream over WebSocket. */
export const useWebSocket = (options: MaybeRefOrGetter<TransportOptions & StoreOptions>) => useStore(options, createWebSocket);

function useStore<T extends StoreOptions>(source: MaybeRefOrGetter<T>, create: (options: T) => Transport): Readonly<ShallowRef<StreamView>> {
  const make = (options: T) => createStore(create(options), options);
  const store = shallowRef(make(toValue(source)));
  const view = shallowRef(store.value.getSnapshot());
  watch(() => toValue(source), (options) => (store.value = make(options)));
  let end = () => {};
  const begin = () => watch(store, ({ subscribe }) => (end(), (end = subscribe((value) => (view.value = value)))), { immediate: true });
  if (getCurrentInstance()) onMounted(begin);      // never while a server renders
  else begin();
  onScopeDispose(() => end());
  return view;
}
