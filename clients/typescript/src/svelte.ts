import { createTransport, type AnyTransportOptions } from "./index.js";
import { createTransport as createSse } from "./sse.js";
import type { StoreOptions, StreamSource, StreamStore } from "./store.js";
import { dataOf, openStore, type SourceStore } from "./stream-store.js";
import type { Transport, TransportOptions } from "./types.js";
import { createTransport as createWebSocket } from "./websocket.js";

export type { StreamOptions, StreamSource, StreamStore, StreamView } from "./store.js";

/** A store of Svelte whose values are sources. It is followed: another `url` or `key` is another stream. */
export interface SourceReadable<Source> {
  subscribe(run: (source: Source) => void): () => void;
}

/** Makes a store that shows a stream. Without a source there is no stream yet. */
export interface StoreMaker<Options> {
  (source: NonNullable<StreamSource<Options>> | SourceReadable<NonNullable<StreamSource<Options>>>): StreamStore;
  (source: StreamSource<Options> | SourceReadable<StreamSource<Options>>): StreamStore<Transport | undefined>;
}

/** A {@link StoreMaker} that joins text: that which `text` makes of each message, or else all data. */
export interface TextStoreMaker<Options> {
  (source: NonNullable<StreamSource<Options>> | SourceReadable<NonNullable<StreamSource<Options>>>, text?: StoreOptions["text"]): StreamStore;
  (source: StreamSource<Options> | SourceReadable<StreamSource<Options>>, text?: StoreOptions["text"]): StreamStore<Transport | undefined>;
}

type Source<Options> = StreamSource<Options> | SourceReadable<StreamSource<Options>>;

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
export const transportStore: StoreMaker<AnyTransportOptions> = (source: Source<AnyTransportOptions>) => storeOf(createTransport, source);

/** A stream over SSE. */
export const sseStore: StoreMaker<TransportOptions> = (source: Source<TransportOptions>) => storeOf(createSse, source);

/** A stream over WebSocket. */
export const websocketStore: StoreMaker<TransportOptions> = (source: Source<TransportOptions>) => storeOf(createWebSocket, source);

/** An answer as one text, of a stream in any form: `$answer.text`. */
export const streamTextStore: TextStoreMaker<AnyTransportOptions> = (source: Source<AnyTransportOptions>, text: StoreOptions["text"] = dataOf) =>
  storeOf(createTransport, source, text);

function storeOf<Options extends TransportOptions>(create: (options: Options) => Transport, source: Source<Options>, text?: StoreOptions["text"]): StreamStore {
  if (!isFollowed(source)) return openStore(create, source, text) as StreamStore;
  let store: SourceStore = openStore(create, undefined, text);
  return {
    getSnapshot: () => store.getSnapshot(),
    subscribe(listener) {
      let shown: SourceStore | undefined;
      let end = () => {};
      const leave = source.subscribe((next) => {
        if (!store.renew(next)) store = openStore(create, next, text);
        if (shown == store) return;
        end();
        shown = store;
        end = store.subscribe(listener as never);
      });
      return () => {
        leave();
        end();
      };
    },
  } as StreamStore;
}

/** Transports can be subscribed to as well. */
const isFollowed = <Options>(source: Source<Options>): source is SourceReadable<StreamSource<Options>> => !!source && "subscribe" in source && !("getSnapshot" in source);
