import type { TransportOptions, TransportServices } from "./types.js";

/** An object whose undefined members do not hide the defaults. */
function defined<T extends object>(given: T | undefined): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

const defaultServices = (): TransportServices => ({
  fetch: (url, init) => fetch(url, init),
  WebSocket: globalThis.WebSocket as TransportServices["WebSocket"],
  now: () => Date.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer),
  random: () => Math.random(),
  host: typeof addEventListener == "function" ? globalThis : undefined,
  isOffline: () => globalThis.navigator?.onLine === false,
});

/** The options with every default filled in, checked. */
export type Settings = ReturnType<typeof settle>;

export function settle(options: TransportOptions) {
  const { reconnect } = options;
  const settings = {
    connectTimeout: 30_000,
    maxMessageLength: 4 << 20,
    interval: 250,
    probeTimeout: 5_000,
    endOfStream: "complete" as const,
    ...defined(options),
    url: new URL(options.url, globalThis.document?.baseURI ?? globalThis.location?.href),
    method: (options.method ?? (options.body === undefined ? "GET" : "POST")).toUpperCase(),
    reconnect: {
      enabled: reconnect !== false,
      maxAttempts: 5,
      initialDelay: 1_000,
      multiplier: 2,
      maxDelay: 30_000,
      jitter: true,
      stableAfter: 10_000,
      maxRetryAfter: 3_600_000,
      retryStatusCodes: [408, 429, 500, 502, 503, 504],
      ...defined(reconnect || undefined),
    },
    buffer: { capacity: 1_000, fullMode: "block" as const, highWaterMark: 0.8, ...defined(options.buffer) },
    send: { queueCapacity: 256, timeout: 30_000, ...defined(options.send) },
    services: { ...defaultServices(), ...defined(options.services) },
  };
  check("", settings, { connectTimeout: 1, maxMessageLength: 1, interval: 0, probeTimeout: 1, idleTimeout: 1 });
  check("reconnect.", settings.reconnect, { maxAttempts: 0, initialDelay: 0, multiplier: 1, maxDelay: 0, stableAfter: 0, maxRetryAfter: 0 });
  check("buffer.", settings.buffer, { capacity: 1, highWaterMark: Number.MIN_VALUE });
  check("send.", settings.send, { queueCapacity: 1, timeout: 1 });
  if (settings.body !== undefined && settings.method == "GET") throw new TypeError("method: a GET cannot have a body.");
  return settings;
}

/** Names the first option that is no number or below its least value. */
function check(group: string, values: object, least: Record<string, number>): void {
  for (const [name, minimum] of Object.entries(least)) {
    const value = (values as Record<string, unknown>)[name];
    if (value !== undefined && !((value as number) >= minimum)) throw new RangeError(`${group}${name} must be a number from ${minimum}, not ${value}.`);
  }
}
