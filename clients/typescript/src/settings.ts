import type { ResumePoint, TransportOptions, TransportServices } from "./types.js";

/** The options with every default filled in, checked. */
export type Settings = ReturnType<typeof settle>;

/** The least values of numbers that have another than their group. */
const LEAST: Record<string, number> = { idleTimeout: 1, interval: 0, multiplier: 1, highWaterMark: 1e-9 };

export function settle(options: TransportOptions) {
  const { document, location, navigator } = globalThis;
  const { body, reconnect, resumeFrom, sendUrl } = options;
  const base = document?.baseURI ?? location?.href;
  const url = new URL(options.url, base);
  const method = (options.method ?? (body === undefined ? "GET" : "POST")).toUpperCase();
  if (body !== undefined && method == "GET") throw new TypeError("method: GET takes no body");
  return {
    ...fill(options, "", 1, {
      connectTimeout: 30_000,
      maxMessageLength: 4 << 20,
      interval: 250,
      probeTimeout: 5_000,
      endOfStream: "complete" as const,
    }),
    ...(resumeFrom ? placeOf(resumeFrom, url) : { url, method, body }),
    sendUrl: sendUrl && new URL(sendUrl, url),
    reconnect: fill(reconnect || {}, "reconnect.", 0, {
      enabled: reconnect !== false,
      maxAttempts: 5,
      initialDelay: 1_000,
      multiplier: 2,
      maxDelay: 30_000,
      jitter: true,
      stableAfter: 10_000,
      maxRetryAfter: 3_600_000,
      retryStatusCodes: [408, 429, 500, 502, 503, 504],
    }),
    buffer: fill(options.buffer, "buffer.", 1, { capacity: 1_000, fullMode: "block" as const, highWaterMark: 0.8 }),
    send: fill(options.send, "send.", 1, { queueCapacity: 256, timeout: 30_000 }),
    services: fill<Partial<TransportServices>, TransportServices>(options.services, "", 0, {
      fetch,
      WebSocket: globalThis.WebSocket as TransportServices["WebSocket"],
      now: Date.now,
      setTimeout,
      clearTimeout,
      random: Math.random,
      host: "addEventListener" in globalThis ? globalThis : undefined,
      isOffline: () => navigator?.onLine === false,
    }),
  };
}

/** Another transport's place, of the same origin: requests to it carry credentials. */
function placeOf({ url, lastEventId }: ResumePoint, { origin, href }: URL) {
  const place = { url: new URL(url, href), method: "GET", body: undefined, lastEventId };
  if (place.url.origin != origin) throw new RangeError(`resumeFrom.url must be of the origin ${origin}, as url is, not of ${place.url.origin}.`);
  return place;
}

/** What is given, over the defaults of its group. Names the first number that is none, or below its least value. */
function fill<Given extends object, Defaults extends object>(given: Given | undefined, group: string, least: number, defaults: Defaults) {
  const filled = { ...defaults } as Record<string, unknown>;
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === undefined) continue;
    const lowest = LEAST[name] ?? (typeof filled[name] == "number" ? least : undefined);
    if (lowest !== undefined && !((value as number) >= lowest)) throw new RangeError(`${group}${name} must be a number from ${lowest}, not ${value}.`);
    filled[name] = value;
  }
  return filled as Omit<Given, keyof Defaults> & { [Name in keyof Defaults]: Name extends keyof Given ? Exclude<Given[Name], undefined> : Defaults[Name] };
}
