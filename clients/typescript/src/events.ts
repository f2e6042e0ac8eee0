import type { Buffer } from "./buffer.js";
import type { EventHandler, TransportEvents } from "./types.js";

type Name = keyof TransportEvents;

/**
 * Calls handlers, one event at a time and in order. Where messages are consumed by events, each other event knows its place in the
 * stream and waits for the messages before it; only what is about the waiting messages themselves overtakes.
 */
export function createEvents(buffer: Buffer, onHandlerError: () => void) {
  const handlers: { [N in Name]?: Set<EventHandler<N>> } = {};
  const waiting: { readonly place: number; readonly emit: () => void }[] = [];
  let isDispatching = false;

  const consumes = () => !!handlers.event?.size;

  return {
    /** Whether messages are consumed by events. */
    consumes,
    call,
    emit,
    dispatch: () => void dispatch(),
    on<N extends Name>(name: N, handler: EventHandler<N>): () => void {
      const set = ((handlers[name] as Set<EventHandler<N>> | undefined) ??= new Set()) as Set<EventHandler<N>>;
      (handlers as Record<Name, unknown>)[name] = set;
      const own: EventHandler<N> = (detail) => handler(detail);
      set.add(own);
      void dispatch();
      return () => void set.delete(own);
    },
    announce<N extends Name>(name: N, detail: TransportEvents[N]): void {
      waiting.push({ place: buffer.appended, emit: () => void emit(name, detail) });
      void dispatch();
    },
  };

  async function dispatch(): Promise<void> {
    if (isDispatching) return;
    isDispatching = true;
    for (;;) {
      const first = waiting[0];
      if (first && (!consumes() || first.place <= buffer.position)) {
        waiting.shift();
        first.emit();
        continue;
      }
      const message = consumes() ? buffer.take() : undefined;
      if (!message) break;
      const handled = emit("event", message);
      if (handled) await handled;
    }
    isDispatching = false;
  }

  /** Calls every handler; waits for what they promise. */
  function emit<N extends Name>(name: N, detail: TransportEvents[N]): void | Promise<unknown> {
    const promises = [...(handlers[name] ?? [])].map((handler) => call(handler as EventHandler<N>, detail)).filter((result) => result instanceof Promise);
    if (promises.length) return Promise.all(promises);
  }

  /** Calls a handler, whose errors are its own. */
  function call<T>(handler: (detail: T) => unknown, detail: T): unknown {
    try {
      const result = handler(detail);
      return result instanceof Promise ? result.catch(failed) : result;
    } catch (error) {
      return failed(error);
    }
  }

  function failed(error: unknown): void {
    onHandlerError();
    console.error(error);
  }
}
