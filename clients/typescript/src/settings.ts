import { now } from "./clock.js";
import { takeCredentials } from "./credentials.js";
import { platformFetch } from "./platform-fetch.js";
import type { ResumePoint, TransportOptions, TransportServices } from "./types.js";

/** The options with every default filled in, checked, but for those of one form alone, which are its own to check. */
export type Settings = ReturnType<typeof settle>;

/** The least values of numbers that have another than their group. */
const LEAST: Record<string, number> = { "reconnect.multiplier": 1, "buffer.highWaterMark": 1e-9 };

/** The values of options that have a few. */
const VALUES: Record<string, readonly unknown[]> = {
  endOfStream: ["complete", "require-marker", "reconnect"],
  fullMode: ["block", "drop-oldest", "drop-newest", "unlimited"],
  framing: ["ndjson", "raw"],
  credentials: ["omit", "same-origin", "include"],
};

export function settle(options: TransportOptions) {
  const { document, location, navigator, addEventListener, setTimeout, clearTimeout, WebSocket } = globalThis as Partial<typeof globalThis>;
  const { body, headers, reconnect, resumeFrom, sendUrl } = options;
  const url = new URL(options.url, document?.baseURI ?? location?.href);
  const authorization = takeCredentials(url);
  const method = (options.method ?? (body === undefined ? "GET" : "POST")).toUpperCase();
  if (body !== undefined && method == "GET") throw new TypeError("method: GET takes no body");
  return {
    ...fill(options, "", 1, {
      connectTimeout: 30_000,
      maxMessageLength: 16 << 20,
      endOfStream: "complete" as const,
    }),
    ...(resumeFrom ? placeOf(resumeFrom, url) : { url, method, body, start: { lastEventId: options.lastEventId } as Omit<ResumePoint, "url"> }),
    authorization,
    sendUrl: sendUrl && new URL(sendUrl, url),
    dialect: options.dialect?.(),
    headers: typeof headers == "function" ? headers : () => headers,
    reconnect: fill(reconnect || {}, "reconnect.", 0, {
      enabled: reconnect !== false,
      maxAttempts: 5,
      initialDelay: 1_000,
      multiplier: 2,
      maxDelay: 30_000,
      jitter: true,
      stableAfter: 10_000,
      maxRetryAfter: 3_600_000,
      retryStatusCodes: [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 530],
    }),
    buffer: fill(options.buffer, "buffer.", 1, { capacity: 1_000, fullMode: "block" as const, highWaterMark: 0.8 }, { highWaterMark: 1 }),
    send: fill(options.send, "send.", 1, { queueCapacity: 256, timeout: 30_000 }),
    services: fill<Partial<TransportServices>, TransportServices>(options.services, "", 0, {
      fetch: platformFetch,
      WebSocket: WebSocket as TransportServices["WebSocket"],
      now,
      setTimeout: setTimeout!,
      clearTimeout: clearTimeout as TransportServices["clearTimeout"],
      random: Math.random,
      host: addEventListener && (globalThis as unknown as EventTarget),
      isOffline: () => navigator?.onLine === false,
    }),
  };
}

/** Another transport's place, of the same origin: requests to it carry credentials. */
function placeOf({ url, ...start }: ResumePoint, { origin, href }: URL) {
  const place = { url: new URL(url, href), method: "GET", body: undefined, start };
  takeCredentials(place.url);
  if (place.url.origin != origin) throw new RangeError(`resumeFrom.url must be of the origin ${origin}, as url is, not of ${place.url.origin}.`);
  return place;
}

/**
 * What is given, over the defaults of its group. Names the first number that is none or beyond its bounds, and the first value that is
 * none of those there are.
 */
export function fill<Given extends object, Defaults extends object>(given: Given | undefined, group: string, least: number, defaults: Defaults, most: Record<string, number> = {}) {
  const filled = { ...defaults } as Record<string, unknown>;
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === undefined) continue;
    const isNumber = typeof filled[name] == "number" || name == "idleTimeout";
    const [lowest, highest = Infinity] = [LEAST[group + name] ?? least, most[name]];
    if (isNumber && !(typeof value == "number" && value >= lowest && value <= highest)) {
      throw new RangeError(`${group}${name} must be a number from ${lowest}${highest < Infinity ? ` to ${highest}` : ""}, not ${String(value)}.`);
    }
    const values = typeof filled[name] == "boolean" ? [true, false] : VALUES[name];
    if (values && !values.includes(value)) throw new RangeError(`${group}${name} must be one of ${values.join(", ")}, not ${String(value)}.`);
    filled[name] = value;
  }
  return filled as Omit<Given, keyof Defaults> & { [Name in keyof Defaults]: Name extends keyof Given ? Exclude<Given[Name], undefined> : Defaults[Name] };
}
