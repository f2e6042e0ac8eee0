import { asFinal, passing, TransportError, toTransportError } from "./errors.js";
import type { Settings } from "./settings.js";
import type { OutgoingSend } from "./sends.js";
import type { OutgoingRequest } from "./types.js";
import { within } from "./waiting.js";

/**
 * The HTTP side of one transport: opens the stream as often as that is safe, posts messages, asks the server to stop. A request with
 * side effects is sent once, unless it certainly did nothing or the caller allowed more; where the server named the stream as a
 * resource, that is read from then on.
 */
export type Http = ReturnType<typeof createHttp>;

/** What undici says of a connection that never stood. Browsers do not say. */
const NEVER_CONNECTED = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/;

const isSafe = (method: string) => method == "GET" || method == "HEAD";

export function createHttp(settings: Settings) {
  const { method, url, allowReplay, body, sendUrl, configureRequest, services: { fetch, now } } = settings;
  let resource: URL | undefined;          // what the answer to a request with side effects named as the stream
  let mayHaveActed = false;               // the server may have acted on a request with side effects

  const isRead = () => isSafe(method) || !!resource;
  const maySend = () => isRead() || !mayHaveActed || !!allowReplay;

  return {
    /** Whether the stream can go on over another request. `canResume`: repeating would hand out nothing twice. */
    canContinue: (canResume: boolean): boolean => isRead() || (!!allowReplay && canResume),

    /** Opens the stream: the response has a success status, and its body is unread. */
    async open(accept: string, lastEventId: string | undefined, signal: AbortSignal): Promise<Response> {
      if (!maySend()) throw new TransportError("interrupted", "see allowReplay");
      const headers = new Headers({ accept });
      // Header fields hold bytes; an id goes back as the UTF-8 it came in (HTML standard, 9.2.3).
      if (lastEventId !== undefined) headers.set("last-event-id", String.fromCharCode(...new TextEncoder().encode(lastEventId)));
      const init = isRead() ? { method: "GET" } : { method, body: encodeBody(body, headers) };
      try {
        return await request(resource ?? url, headers, init, signal, true);
      } catch (failure) {
        const error = toTransportError(failure);
        throw maySend() || !error.transient ? error : asFinal(error, error.status ? error.code : "interrupted");
      }
    },

    /** Posts one message, named by its key so that the server can recognise a repetition. */
    async post({ data, kind, key }: OutgoingSend, signal: AbortSignal): Promise<void> {
      if (!sendUrl && !isRead()) throw new TransportError("not-connected", "sendUrl is not set", { delivery: "not-sent" });
      const headers = new Headers({
        "content-type": kind == "json" ? "application/json" : kind == "text" ? "text/plain; charset=utf-8" : "application/octet-stream",
        "idempotency-key": `"${key}"`,      // a structured-field string (draft-ietf-httpapi-idempotency-key-header, 2.1)
      });
      try {
        const { redirected } = await request(sendUrl ? new URL(sendUrl, url) : (resource ?? url), headers, { method: "POST", body: data }, signal);
        // Followed by another method, perhaps, and answered by a login page: that acknowledges nothing.
        if (redirected) throw new TransportError("redirect-refused", undefined, { delivery: "unknown" });
      } catch (failure) {
        const cause = toTransportError(failure);
        const { status, transient, code, message, delivery = status! < 500 ? "not-sent" : "unknown" } = cause;
        throw new TransportError(status && !transient ? "send-rejected" : code, message, { ...cause, delivery, cause });
      }
    },

    /** Asks the server to stop producing the stream. */
    async stop(signal: AbortSignal): Promise<void> {
      await request(resource ?? url, new Headers(), { method: "DELETE" }, signal);
    },
  };

  /** Makes a request, once more where it was refused for want of credentials. What does not open the stream has no body worth reading. */
  async function request(target: URL, headers: Headers, init: RequestInit & { method: string }, signal: AbortSignal, opens = false): Promise<Response> {
    const acts = opens && !isSafe(init.method);
    for (const [name, value] of Object.entries(settings.headers ?? {})) headers.set(name, value);
    for (let rejected = false; ; rejected = true) {
      const outgoing: OutgoingRequest = { url: new URL(target), headers };
      await within(configureRequest?.(outgoing, { rejected }), signal);
      signal.throwIfAborted();
      if (acts) mayHaveActed = true;
      const response = await send(outgoing, init, signal, acts);
      const { status, ok } = response;
      if (acts && status >= 400 && status < 500) mayHaveActed = false;      // a client error says that it did not (RFC 9110, 15.5)
      if (acts && ok) nameResource(response, outgoing.url);
      if (!ok || !opens) await response.body?.cancel();
      if (ok) return response;
      if (status != 401 || rejected || !configureRequest) throw statusError(response);
    }
  }

  async function send({ url, headers }: OutgoingRequest, init: RequestInit, signal: AbortSignal, acts: boolean): Promise<Response> {
    try {
      // `no-store` does in a browser what the field Cache-Control would do, without a CORS preflight.
      return await fetch(url, { ...init, headers, signal, cache: "no-store", credentials: settings.credentials ?? "same-origin" });
    } catch (cause) {
      signal.throwIfAborted();
      const isNotSent = NEVER_CONNECTED.test((cause as { cause?: { code?: string } }).cause?.code ?? "");
      if (acts && isNotSent) mayHaveActed = false;
      throw passing("connect-failed", url.host, { cause, delivery: isNotSent ? "not-sent" : undefined });
    }
  }

  /** Only the endpoint's own origin can name the resource, and only at itself: requests to it carry credentials. */
  function nameResource(response: Response, requested: URL): void {
    const location = response.headers.get("content-location");
    const base = new URL(response.url || requested);
    const named = new URL(location ?? "", base);
    if (location !== null && base.origin == url.origin && named.origin == url.origin) resource = named;
  }

  function statusError({ status, headers }: Response): TransportError {
    // Seconds or a date (RFC 9110, 10.2.3); a date in the past is no wait.
    const value = headers.get("retry-after") ?? "";
    const wait = /^\d+$/.test(value) ? +value * 1000 : Date.parse(value) - now();
    const retryAfter = Number.isNaN(wait) ? undefined : Math.max(wait, 0);
    return new TransportError("http-status", status, { status, transient: settings.reconnect.retryStatusCodes.includes(status), retryAfter });
  }
}

/** Plain objects, arrays and the like as JSON; anything else is the platform's to encode. */
function encodeBody(body: unknown, headers: Headers): BodyInit {
  if (![Object, Array, Number, Boolean].includes((body as object | undefined)?.constructor as ObjectConstructor)) return body as BodyInit;
  headers.set("content-type", "application/json");
  return JSON.stringify(body);
}
