import type { StreamMessage, Transport, TransportSnapshot } from "./types.js";

/** What a user interface shows of a stream. Immutable, and the same object until something changes. */
export interface StreamView extends TransportSnapshot {
  /** The messages so far, the newest last; of a long stream the last `keep`. */
  readonly messages: readonly StreamMessage[];
  /** To send, stop, pause and the like. */
  readonly transport: Transport;
}

/** The store contract of Svelte, and what `useSyncExternalStore` needs. */
export interface StreamStore {
  subscribe(listener: (view: StreamView) => void): () => void;
  getSnapshot(): StreamView;
}

/** How a store behaves. */
export interface StoreOptions {
  /** Messages that are kept. Default 1000. */
  readonly keep?: number | undefined;
  /** Whether the store closes the transport when nobody looks any more. Default true. */
  readonly closes?: boolean | undefined;
}

/**
 * Shows a transport to a user interface: connects while somebody looks, and consumes its messages. A view that goes and comes back at
 * once, as React's strict mode has it, keeps its one connection; one that never stays, as on a server, never opens any.
 */
export function createStore(transport: Transport, { keep = 1000, closes = true }: StoreOptions = {}): StreamStore {
  const listeners = new Set<(view: StreamView) => void>();
  let messages: StreamMessage[] = [];
  let arrived: StreamMessage[] = [];
  let isScheduled = false;
  let release: (() => void) | undefined;
  let view: StreamView = { ...transport.getSnapshot(), messages, transport };

  return {
    getSnapshot: () => view,
    subscribe(listener) {
      const own = (value: StreamView) => listener(value);
      listeners.add(own);
      listener(view);
      queueMicrotask(look);
      return () => {
        listeners.delete(own);
        setTimeout(look);
      };
    },
  };

  /** Begins when somebody looks, and ends when nobody has for a moment. */
  function look(): void {
    if (listeners.size && !release) {
      const ends = [transport.on("event", (message) => (arrived.push(message), changed())), transport.subscribe(changed)];
      release = () => ends.forEach((end) => end());
      const reason = view.end?.reason;
      if (!reason || reason == "closed") transport.connect().catch(() => {});     // what went wrong stands in the view
    } else if (!listeners.size && release) {
      release();
      release = undefined;
      if (closes) void transport.close();
    }
  }

  /** However many messages come at once, the view changes once. */
  function changed(): void {
    if (isScheduled) return;
    isScheduled = true;
    queueMicrotask(() => {
      isScheduled = false;
      if (arrived.length) messages = [...messages, ...arrived].slice(-keep);
      arrived = [];
      view = { ...transport.getSnapshot(), messages, transport };
      for (const listener of listeners) listener(view);
    });
  }
}
