import type { Buffer } from "./buffer.js";
import type { TransportEvents, TransportSnapshot } from "./types.js";

/** What handlers may be called with; `snapshot` is for those that subscribed. */
export type Detail<Name> = Name extends keyof TransportEvents ? TransportEvents[Name] : TransportSnapshot;
type Name = keyof TransportEvents | "snapshot";

/**
 * Calls handlers, one event at a time and in order. Where messages are consumed by events, each other event knows its place in the
 * stream and waits for the messages before it; only what is about the waiting messages themselves overtakes.
 */
export function createEvents(buffer: Buffer, onHandlerError: (error: unknown) => void) {
  const handlers: Partial<Record<Name, Set<(detail: never) => unknown>>> = {};
  const waiting: { readonly place: number; readonly emit: () => void }[] = [];
  let isDispatching = false;

  /** Whether messages are consumed by events. */
  const consumes = () => !!handlers.event?.size;

  return {
    consumes,
    callHandlers,
    emit,
    on<N extends Name>(name: N, handler: (detail: Detail<N>) => unknown): () => void {
      const set = (handlers[name] ??= new Set());
      const own: typeof handler = (detail) => handler(detail);
      set.add(own);
      void callHandlers();
      return () => void set.delete(own);
    },
    announce<N extends keyof TransportEvents>(name: N, detail: Detail<N>): void {
      waiting.push({ place: buffer.appended, emit: () => emit(name, detail) });
      void callHandlers();
    },
  };

  async function callHandlers(): Promise<void> {
    if (isDispatching) return;
    isDispatching = true;
    for (;;) {
      if (waiting[0] && (!consumes() || waiting[0].place <= buffer.appended - buffer.size())) {
        waiting.shift()!.emit();
        continue;
      }
      const message = consumes() && buffer.take();
      if (!message) break;
      const handled = emit("event", message);
      if (handled) await handled;
    }
    isDispatching = false;
  }

  /** Calls every handler; waits for what they promise. Their errors are their own. */
  function emit<N extends Name>(name: N, detail: Detail<N>): void | Promise<unknown> {
    const promises: Promise<unknown>[] = [];
    for (const handler of [...(handlers[name] ?? [])] as ((detail: Detail<N>) => unknown)[]) {
      try {
        const result = handler(detail);
        if (result instanceof Promise) promises.push(result.catch(onHandlerError));
      } catch (error) {
        onHandlerError(error);
      }
    }
    if (promises[0]) return Promise.all(promises);
  }
}
