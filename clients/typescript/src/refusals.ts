import { passing, TransportError } from "./errors.js";
import type { Settings } from "./settings.js";
import { explain } from "./signals.js";
import { after, childOf, within } from "./waiting.js";

/** What is read of the body of a refusal, in bytes and in milliseconds. */
const MOST_BYTES = 65_536;
const MOST_TIME = 2_000;

/** What undici says of a connection that never stood. Browsers do not say. */
const NEVER_CONNECTED = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|CONNECT_TIMEOUT/;

/** The error for a request without an answer. */
export function unanswered(host: string, cause: unknown): TransportError {
  const { code } = ((cause as { cause?: { code?: string } }).cause ?? {});
  return passing("connect-failed", code ? `${host}, ${code}` : host, { cause, delivery: NEVER_CONNECTED.test(code!) ? "not-sent" : undefined });
}

/** The error for an answer that is no success, with what the server says of it. Leaves the response. */
export async function refusalOf(response: Response, settings: Settings, signal: AbortSignal): Promise<TransportError> {
  const { status, type, headers } = response;
  if (type == "opaqueredirect" || /^30[12378]$/.test(`${status}`)) {
    await response.body?.cancel();
    return new TransportError("redirect-refused", status || "", { status: status || undefined, delivery: "not-sent" });
  }
  const said = explain(await beginningOf(response, settings, signal));
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

async function beginningOf(response: Response, { services }: Settings, signal: AbortSignal): Promise<string> {
  const limit = childOf(signal);
  const cancel = after(services, MOST_TIME, () => limit.abort());
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    if (!reader) return await within(response.text(), limit.signal);
    for (let size = 0; size < MOST_BYTES; ) {
      const { value, done } = await within(reader.read(), limit.signal);
      if (done) break;
      size += value.length;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // What came so far is what there is.
  } finally {
    cancel();
    limit.abort();
    void reader?.cancel().catch(() => {});
  }
  return text.slice(0, MOST_BYTES);
}
