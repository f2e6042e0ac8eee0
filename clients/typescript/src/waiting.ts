import type { TransportServices } from "./types.js";

/** The longest delay that timers take; they fire at once beyond it. */
export const LONGEST_DELAY = 2 ** 31 - 1;

/** What to call when a signal aborts. */
interface Hub {
  readonly callbacks: Set<() => void>;
  readonly fire: () => void;
}

const hubs = new WeakMap<AbortSignal, Hub>();

/** A controller that aborts with its parent, for the same reason. It must be aborted in the end, which removes it from its parent. */
export function childOf(parent: AbortSignal | undefined): AbortController {
  const child = new AbortController();
  onAbort(child.signal, onAbort(parent, () => child.abort(parent!.reason)));
  return child;
}

/**
 * Calls back once, at once where the signal has aborted; returns what prevents it. However many wait for a signal, it has one listener,
 * and none when nobody waits: runtimes take many listeners for a leak.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (!signal) return () => {};
  if (signal.aborted) {
    callback();
    return () => {};
  }
  const hub = hubs.get(signal) ?? createHub(signal);
  const own = () => callback();
  hub.callbacks.add(own);
  return () => {
    if (!hub.callbacks.delete(own) || hub.callbacks.size) return;
    hubs.delete(signal);
    signal.removeEventListener("abort", hub.fire);
  };
}

function createHub(signal: AbortSignal): Hub {
  const callbacks = new Set<() => void>();
  const hub = { callbacks, fire: () => callbacks.forEach((callback) => callback()) };
  hubs.set(signal, hub);
  signal.addEventListener("abort", hub.fire);
  return hub;
}

/** Settles as the promise does, or rejects with the signal's reason as soon as it aborts. */
export const within = <T>(promise: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> =>
  new Promise((resolve, reject) => {
    const end = onAbort(signal, () => reject(signal!.reason));
    Promise.resolve(promise).then(resolve, reject).finally(end);
  });

/** Calls back after so many milliseconds; returns what prevents it. */
export function after({ setTimeout, clearTimeout }: TransportServices, milliseconds: number, callback: () => void): () => void {
  const timer = milliseconds < Infinity && setTimeout(callback, Math.min(milliseconds, LONGEST_DELAY));
  return () => clearTimeout(timer as never);
}

/** A controller that aborts with its parent, or after so many milliseconds for this reason. It must be aborted in the end. */
export function limitOf(parent: AbortSignal | undefined, services: TransportServices, milliseconds: number, reason: () => unknown): AbortController {
  const limit = childOf(parent);
  onAbort(limit.signal, after(services, milliseconds, () => limit.abort(reason())));
  return limit;
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
