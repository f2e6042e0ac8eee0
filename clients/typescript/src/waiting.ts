import type { TransportServices } from "./types.js";

/** The longest delay that timers take; they fire at once beyond it. */
export const LONGEST_DELAY = 2 ** 31 - 1;

/** A controller that aborts with its parent, for the same reason. It must be aborted in the end, which removes it from its parent. */
export function childOf(parent: AbortSignal | undefined): AbortController {
  const child = new AbortController();
  onAbort(parent, () => child.abort(parent!.reason), child.signal);
  return child;
}

/** Calls back once, at once where the signal has aborted, until `until` aborts. */
export function onAbort(signal: AbortSignal | undefined, callback: () => void, until?: AbortSignal): void {
  if (signal?.aborted) callback();
  else signal?.addEventListener("abort", callback, { signal: until! });
}

/** Settles as the promise does, or rejects with the signal's reason as soon as it aborts. */
export function within<T>(promise: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const done = childOf(signal);
  const aborted = new Promise<never>((_, reject) => onAbort(done.signal, () => reject(done.signal.reason)));
  return Promise.race([aborted, promise]).finally(() => done.abort());
}

/** Calls back after so many milliseconds; returns what prevents it. */
export function after({ setTimeout, clearTimeout }: TransportServices, milliseconds: number, callback: () => void): () => void {
  const timer = milliseconds < Infinity && setTimeout(callback, Math.min(milliseconds, LONGEST_DELAY));
  return () => clearTimeout(timer as never);
}

/** A wait that ends early by `wake`, and rejects when the signal aborts. */
export function sleep(services: TransportServices, milliseconds: number, signal: AbortSignal, onWake?: (wake: () => void) => void): Promise<void> {
  let cancel: () => void;
  const slept = new Promise<void>((resolve) => {
    cancel = after(services, milliseconds, resolve);
    onWake?.(resolve);
  });
  return within(slept, signal).finally(() => cancel());
}

/** Rung after each change that somebody may wait for. */
export type Bell = ReturnType<typeof createBell>;

export function createBell() {
  const waiting: (() => void)[] = [];
  return {
    ring(): void {
      while (waiting.length) waiting.shift()!();
    },
    /** Settles when the condition holds; it is looked at whenever the bell rings. */
    async until(condition: () => unknown, signal?: AbortSignal): Promise<void> {
      while (!condition()) await within(new Promise<void>((resolve) => waiting.push(resolve)), signal);
    },
  };
}
