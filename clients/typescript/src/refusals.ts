import { blockAt } from "./blocked.js";
import { piecesOf } from "./body.js";
import { passing, TransportError } from "./errors.js";
import type { Settings } from "./settings.js";
import { explain } from "./signals.js";
import type { TransportServices } from "./types.js";
import { limitOf } from "./waiting.js";

/** What is read of the body of a refusal, in characters and in milliseconds. */
const MOST = 65_536;
const MOST_TIME = 2_000;

/** What undici says of a connection that never stood. Browsers do not say. */
const NEVER_CONNECTED = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|CONNECT_TIMEOUT/;

/** The error for a request without an answer. */
export async function unanswered(url: URL, cause: unknown, { services }: Settings, signal: AbortSignal): Promise<TransportError> {
  if (!IN_NODE) return passing("connect-failed", url.host, { cause, ...(await blockAt(url, services, signal)) });
  const { code } = (cause as { cause?: { code?: string } }).cause ?? {};
  return passing("connect-failed", code ? `${url.host}, ${code}` : url.host, { cause, delivery: NEVER_CONNECTED.test(code!) ? "not-sent" : undefined });
}

/** The error for an answer that is no success, with what the server says of it. Leaves the response. */
export async function refusalOf(response: Response, settings: Settings, signal: AbortSignal): Promise<TransportError> {
  const { status, type, headers } = response;
  if (type == "opaqueredirect" || (IN_NODE && /^30[12378]$/.test(`${status}`))) {
    await response.body?.cancel();
    return new TransportError("redirect-refused", status || "", { status: status || undefined, delivery: "not-sent" });
  }
  const said = explain(await beginningOf(response, settings.services, signal));
  return new TransportError("http-status", status, {
    status,
    transient: settings.reconnect.retryStatusCodes.includes(status),
    retryAfter: retryAfter(headers, settings.services.now()),
    ...said,
  });
}

/** Milliseconds, or seconds or a date (RFC 9110, 10.2.3); a date in the past is no wait, and anything else says nothing. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const exact = headers.get("retry-after-ms") ?? "";
  if (/^\d+(\.\d+)?$/.test(exact)) return +exact;
  const value = headers.get("retry-after") ?? "";
  if (/^\d+$/.test(value)) return +value * 1000;
  return /[a-z]{3}, .*GMT$/i.test(value) && !isNaN(Date.parse(value)) ? Math.max(Date.parse(value) - now, 0) : undefined;
}

async function beginningOf(response: Response, services: TransportServices, signal: AbortSignal): Promise<string> {
  const limit = limitOf(signal, services, MOST_TIME, () => undefined);
  const next = piecesOf(response, limit.signal);
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let piece; text.length < MOST && (piece = await next()); ) text += decoder.decode(piece, { stream: true });
  } catch {
    // What came so far is what there is.
  } finally {
    limit.abort();      // leaves the response
  }
  return text.slice(0, MOST);
}
