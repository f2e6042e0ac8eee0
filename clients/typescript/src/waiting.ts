import type { TransportServices } from "./types.js";

/** The longest delay that timers take; they fire at once beyond it. */
const LONGEST = 2 ** 31 - 1;

/** A controller that aborts with its parent, for the same reason. It must be aborted in the end, which removes it from its parent. */
export function childOf(parent: AbortSignal): AbortController {
  const child = new AbortController();
  onAbort(parent, () => child.abort(parent.reason), child.signal);
  return child;
}

/** Calls back once, at once where the signal has aborted, until `until` aborts. */
export function onAbort(signal: AbortSignal | undefined, callback: () => void, until?: AbortSignal): void {
  if (signal?.aborted) callback();
  else signal?.addEventListener("abort", callback, until ? { once: true, signal: until } : { once: true });
}

/** Settles as the promise does, or rejects with the signal's reason as soon as it aborts. */
export function within<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const done = new AbortController();
    onAbort(signal, () => reject(signal.reason), done.signal);
    promise.then(resolve, reject).finally(() => done.abort());
  });
}

/** Calls back after so many milliseconds; returns what prevents it. */
export function after(services: TransportServices, milliseconds: number, callback: () => void): () => void {
  if (milliseconds == Infinity) return () => {};
  const timer = services.setTimeout(callback, Math.min(milliseconds, LONGEST));
  return () => services.clearTimeout(timer as never);
}

/** A wait that ends early by `wake`, and rejects when the signal aborts. */
export async function sleep(services: TransportServices, milliseconds: number, signal: AbortSignal, onWake: (wake: () => void) => void = () => {}): Promise<void> {
  let cancel = () => {};
  try {
    await within(new Promise<void>((resolve) => {
      cancel = after(services, milliseconds, resolve);
      onWake(resolve);
    }), signal);
  } finally {
    cancel();
  }
}
