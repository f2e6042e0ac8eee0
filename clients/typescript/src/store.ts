import { TransportError } from "./errors.js";
import { oncePerFrame } from "./frames.js";
import type { StreamEnd, StreamMessage, Transport, TransportSnapshot } from "./types.js";

/** What a user interface shows of a stream. Immutable, and the same object until something changes. */
export interface StreamView<Of extends Transport | undefined = Transport> extends TransportSnapshot {
  /** The messages so far, the newest last: all of them, unless `keep` sets a limit. */
  readonly messages: readonly StreamMessage[];
  /** How many messages `keep` removed from the beginning of `messages`. */
  readonly messagesDropped: number;
  /** What the option `text` made of all messages, joined. Empty without it. */
  readonly text: string;
  /** To send, stop, pause and the like. Absent where there is no stream yet. */
  readonly transport: Of;
}

/** The store contract of Svelte, and what `useSyncExternalStore` needs. */
export interface StreamStore<Of extends Transport | undefined = Transport> {
  /** Calls the listener now, and at most once a frame after that; connects. Returns what ends it. What a listener throws is logged. */
  subscribe(listener: (view: StreamView<Of>) => void): () => void;
  getSnapshot(): StreamView<Of>;
}

/** Options for a store. */
export interface StoreOptions {
  /** The most messages kept, at least 0; older ones are dropped and counted in `messagesDropped`. Default `Infinity`: all are kept. */
  readonly keep?: number | undefined;
  /** The text that each message adds to `text`, such as a delta of an answer. Default: none. */
  readonly text?: ((message: StreamMessage) => string | undefined) | undefined;
  /** Whether the store closes the transport when nobody looks any more. Default true. */
  readonly closes?: boolean | undefined;
}

/** Options for a hook or a store of a framework, beyond those of the transport. */
export interface StreamOptions extends StoreOptions {
  /**
   * Names the stream beside its `url`. Another `url` or `key` is another stream; where both stay, changed `headers` and another
   * `configureRequest` are used at the next attempt, and other changes wait for the next stream.
   */
  readonly key?: string | number | undefined;
  /**
   * Keeps the stream under this name in the session storage of the page: reloaded in the middle of an answer, the page shows what it
   * showed and goes on, and a POST is not made again. Another `url`, `key` or `body` begins anew. Default: not kept.
   */
  readonly saveAs?: string | undefined;
}

/** What a view is made from: a transport, which stays open when the view goes, or options for one; `undefined` while there is no stream yet. */
export type StreamSource<Options> = Transport | (Options & StreamOptions) | undefined;

/** What a store shows that its transport does not know. */
export interface Shown extends Pick<StreamView, "messages" | "messagesDropped" | "text"> {
  readonly end: StreamEnd | undefined;
}

/** Where a store keeps what it shows while there is no page. */
export interface Keeper {
  /** What was kept. */
  readonly shown: Shown | undefined;
  /** Keeps what this returns, from now on; returns what ends it. */
  keep(shown: () => Shown): () => void;
}

/** The snapshot of no transport. */
const NOTHING: TransportSnapshot = {
  state: "idle", attempt: 0, lastEventId: undefined, messagesReceived: 0, bufferSize: 0, paused: false, error: undefined, end: undefined,
};

/**
 * Shows a transport to a user interface: connects while somebody looks, and consumes its messages. A view that goes and comes back at
 * once, as React's strict mode has it, keeps its one connection; one that never stays, as on a server, never opens any. Without a
 * transport the view is that of a stream that has not begun.
 *
 * ```ts
 * const store = createStore(createTransport({ url: "/streams/42" }));
 * const leave = store.subscribe(({ messages, state }) => render(messages, state));
 * ```
 */
export function createStore<Of extends Transport | undefined>(transport: Of, options: StoreOptions = {}, keeper?: Keeper): StreamStore<Of> {
  const { keep = Infinity, closes = true, text } = options;
  if (!(keep >= 0)) throw new RangeError(`keep must be a number from 0, not ${keep}.`);
  const listeners = new Set<(view: StreamView<Of>) => void>();
  const changed = oncePerFrame(show);
  let list: StreamMessage[] = [];             // only appended to, so that views share it; replaced once much of it is dropped
  let dropped = 0;                            // messages that are not in the list any more
  let joined = "";
  let messages: ReturnType<typeof viewOf> | undefined;      // absent: of another length than the list
  let restored: Shown | undefined;
  let release: (() => void) | undefined;
  let view = nextView();

  return {
    getSnapshot: () => view,
    subscribe(listener) {
      const own = (value: StreamView<Of>) => listener(value);
      listeners.add(own);
      tell(own);
      queueMicrotask(look);
      return () => {
        listeners.delete(own);
        setTimeout(look);
      };
    },
  };

  /** Begins when somebody looks, and ends when nobody has for a moment. */
  function look(): void {
    if (!transport) return;
    if (listeners.size && !release) {
      begin(transport);
    } else if (!listeners.size && release) {
      release();
      release = undefined;
      if (closes) void transport.close();
    }
  }

  function begin(transport: Transport): void {
    try {
      const ends = [transport.on("event", add), transport.subscribe(changed)];
      restore();
      if (keeper) ends.push(keeper.keep(nextView));
      release = () => ends.forEach((end) => end());
    } catch (cause) {
      const error = new TransportError("not-connected", "its transport is read elsewhere; a store must be the only reader", { cause });
      view = { ...view, state: "failed", error, end: { reason: "failed", error } };
      return listeners.forEach(tell);
    }
    const reason = view.end?.reason;
    if (!reason || reason == "closed") transport.connect().catch(() => {});     // what went wrong stands in the view
  }

  /** Only now, and not at first: a page that was rendered on a server begins with what that showed. */
  function restore(): void {
    if (restored || !keeper?.shown) return;
    restored = keeper.shown;
    list = [...restored.messages];
    dropped = restored.messagesDropped;
    joined = restored.text;
    messages = undefined;
    show();
  }

  function add(message: StreamMessage): void {
    list.push(message);
    if (list.length > 2 * keep + 1_000) {
      dropped += list.length - keep;
      list = list.slice(list.length - keep);
    }
    messages = undefined;
    changed();
    joined += text?.(message) ?? "";
  }

  function show(): void {
    view = nextView();
    listeners.forEach(tell);
  }

  function nextView(): StreamView<Of> {
    const from = (messages ??= viewOf(list));
    const snapshot = transport?.getSnapshot() ?? NOTHING;
    return {
      ...snapshot,
      ...(restored?.end && snapshot.state == "idle" && { state: "closed", end: restored.end }),
      get messages() { return from.messages; },
      messagesDropped: dropped + from.start,
      text: joined,
      transport,
    };
  }

  /** The last of these messages, copied out where a view is asked for them: a view that is not costs nothing. */
  function viewOf(all: readonly StreamMessage[]) {
    const { length } = all;
    const start = Math.max(0, length - keep);
    let copy: readonly StreamMessage[] | undefined;
    return { start, get messages() { return (copy ??= all.slice(start, length)); } };
  }

  function tell(listener: (view: StreamView<Of>) => void): void {
    try {
      listener(view);
    } catch (error) {
      console.error(error);
    }
  }
}
