import type { ErrorDetails } from "./errors.js";
import type { TransportServices } from "./types.js";
import { onAbort, sleep } from "./waiting.js";

/** How many connections to a host a browser opens over HTTP/1.1. */
const MOST_CONNECTIONS = 6;

/** The event of a violation is a task of its own: the request may have failed before, by less than this in milliseconds. */
const EVENT_TIME = 20;

const forbidden = new Set<string>();      // URLs that a policy of this page forbids
const streams: string[] = [];             // the origin of each response that this page reads

const note = ({ disposition, blockedURI }: SecurityPolicyViolationEvent): unknown => disposition == "enforce" && forbidden.add(blockedURI);

/** Called before a request: what a policy says of it is told once, by an event. */
export const watchPolicy = (): void => globalThis.document?.addEventListener("securitypolicyviolation", note);

/** A response of this origin is read until the signal aborts. */
export function countStream({ origin }: URL, signal: AbortSignal): void {
  streams.push(origin);
  onAbort(signal, () => streams.splice(streams.indexOf(origin), 1));
}

/** What may keep a request waiting: over HTTP/1.1, which the browser must have seen here, it needs a connection, and this page's own streams use all. */
export function crowdingAt({ origin }: URL): ErrorDetails {
  const isFull = streams.filter((each) => each == origin).length >= MOST_CONNECTIONS;
  const isOneByOne = (performance.getEntries() as PerformanceResourceTiming[]).some(({ name, nextHopProtocol }) => name.startsWith(origin) && nextHopProtocol == "http/1.1");
  return { blockedBy: isFull && isOneByOne ? "connection-limit" : undefined };
}

/**
 * What kept a page from a server, as far as that can be known: a browser says no more than that a request failed. A policy of the page, which
 * will not let it out the next time either, says so by an event. A server of another origin that answers a request whose answer the page
 * may not see is there, and does not allow this origin.
 */
export async function blockAt(url: URL, services: TransportServices, signal: AbortSignal): Promise<ErrorDetails> {
  await sleep(services, EVENT_TIME, signal);
  if (forbidden.has(url.href)) return { blockedBy: "content-security-policy", transient: false, delivery: "not-sent" };
  const isForeign = globalThis.location && location.origin != url.origin;
  return { blockedBy: isForeign ? await services.fetch(url, { method: "HEAD", mode: "no-cors", signal }).then(() => "cors" as const, () => undefined) : undefined };
}
