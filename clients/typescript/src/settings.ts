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
  check(settings);
  if (settings.body !== undefined && settings.method == "GET") throw new TypeError("method: a GET cannot have a body.");
  return settings;
}

/** The least value of each number. */
const LEAST = {
  connectTimeout: 1, idleTimeout: 1, maxMessageLength: 1, interval: 0, probeTimeout: 1,
  "reconnect.maxAttempts": 0, "reconnect.initialDelay": 0, "reconnect.multiplier": 1, "reconnect.maxDelay": 0,
  "reconnect.stableAfter": 0, "reconnect.maxRetryAfter": 0,
  "buffer.capacity": 1, "buffer.highWaterMark": Number.MIN_VALUE, "send.queueCapacity": 1, "send.timeout": 1,
};

/** Names the first option that is no number or below its least value. */
function check(settings: object): void {
  for (const [path, least] of Object.entries(LEAST)) {
    const value = path.split(".").reduce<unknown>((group, name) => (group as Record<string, unknown>)[name], settings);
    if (value !== undefined && !((value as number) >= least)) throw new RangeError(`${path} must be a number from ${least}, not ${value}.`);
  }
}
