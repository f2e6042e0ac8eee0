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
  const { method, url, allowReplay, services } = settings;
  let resource: URL | undefined;          // what the answer to a request with side effects named as the stream
  let mayHaveActed = false;               // the server may have acted on a request with side effects

  const isRead = () => isSafe(method) || resource !== undefined;
  const maySend = () => isRead() || !mayHaveActed || !!allowReplay;

  return {
    /** Whether the stream can go on over another request. `canResume`: repeating would hand out nothing twice. */
    canContinue: (canResume: boolean): boolean => isRead() || (!!allowReplay && canResume),

    /** Opens the stream: the response has a success status, and its body is unread. */
    async open(accept: string, lastEventId: string | undefined, signal: AbortSignal): Promise<Response> {
      if (!maySend()) throw new TransportError("interrupted", "see allowReplay");
      const headers = new Headers({ accept });
      if (lastEventId !== undefined) headers.set("last-event-id", encodeHeader(lastEventId));
      const init = isRead() ? { method: "GET" } : { method, ...encodeBody(settings.body, headers) };
      try {
        return await request(resource ?? url, headers, init, signal, true);
      } catch (error) {
        const known = toTransportError(error);
        if (maySend() || !known.transient) throw known;
        throw asFinal(known, known.status ? known.code : "interrupted");
      }
    },

    /** Posts one message, named by its key so that the server can recognise a repetition. */
    async post({ data, kind, key }: OutgoingSend, signal: AbortSignal): Promise<void> {
      const target = settings.sendUrl ? new URL(settings.sendUrl, url) : (resource ?? url);
      if (!settings.sendUrl && !isRead()) throw new TransportError("not-connected", "sendUrl is not set", { delivery: "not-sent" });
      const headers = new Headers({
        "content-type": kind == "json" ? "application/json" : kind == "text" ? "text/plain; charset=utf-8" : "application/octet-stream",
        "idempotency-key": `"${key}"`,      // a structured-field string (draft-ietf-httpapi-idempotency-key-header, 2.1)
      });
      try {
        const response = await request(target, headers, { method: "POST", body: data }, signal);
        await response.body?.cancel();
        // Followed by another method, perhaps, and answered by a login page: that acknowledges nothing.
        if (response.redirected) throw new TransportError("redirect-refused", undefined, { delivery: "unknown" });
      } catch (error) {
        const known = toTransportError(error);
        const delivery = known.delivery ?? (known.status && known.status < 500 ? "not-sent" : "unknown");
        throw new TransportError(known.status && !known.transient ? "send-rejected" : known.code, known.message, { ...known, delivery, cause: known });
      }
    },

    /** Asks the server to stop producing the stream. */
    async stop(signal: AbortSignal): Promise<void> {
      const response = await request(resource ?? url, new Headers(), { method: "DELETE" }, signal);
      await response.body?.cancel();
    },
  };

  async function request(target: URL, headers: Headers, init: RequestInit & { method: string }, signal: AbortSignal, opens = false): Promise<Response> {
    for (const [name, value] of Object.entries(settings.headers ?? {})) headers.set(name, value);
    for (let rejected = false; ; rejected = true) {
      const outgoing: OutgoingRequest = { url: new URL(target), headers };
      await within(Promise.resolve(settings.configureRequest?.(outgoing, { rejected })), signal);
      signal.throwIfAborted();
      const acts = opens && !isSafe(init.method);
      if (acts) mayHaveActed = true;
      const response = await send(outgoing, init, signal, acts);
      const { status } = response;
      if (acts && status >= 400 && status < 500) mayHaveActed = false;      // a client error says that it did not (RFC 9110, 15.5)
      if (response.ok) {
        if (acts) nameResource(response, outgoing.url);
        return response;
      }
      await response.body?.cancel();
      if (status != 401 || rejected || !settings.configureRequest) throw statusError(response);
    }
  }

  async function send({ url, headers }: OutgoingRequest, init: RequestInit, signal: AbortSignal, acts: boolean): Promise<Response> {
    try {
      // `no-store` does in a browser what the field Cache-Control would do, without a CORS preflight.
      return await services.fetch(url, { ...init, headers, signal, cache: "no-store", credentials: settings.credentials ?? "same-origin" });
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
    const named = location === null ? undefined : new URL(location, response.url || requested);
    if (named?.origin == url.origin && (!response.url || new URL(response.url).origin == url.origin)) resource = named;
  }

  function statusError({ status, headers }: Response): TransportError {
    const transient = settings.reconnect.retryStatusCodes.includes(status);
    return new TransportError("http-status", status, { status, transient, retryAfter: retryAfter(headers.get("retry-after")) });
  }

  /** Seconds or a date (RFC 9110, 10.2.3); a date in the past is no wait. */
  function retryAfter(value: string | null): number | undefined {
    if (value === null) return undefined;
    const wait = /^\d+$/.test(value) ? +value * 1000 : Date.parse(value) - services.now();
    return wait >= 0 ? wait : wait < 0 ? 0 : undefined;
  }
}

/** Header fields hold bytes; an id goes back as the UTF-8 it came in (HTML standard, 9.2.3). */
function encodeHeader(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : String.fromCharCode(...new TextEncoder().encode(text));
}

/** Plain objects, arrays and the like as JSON; anything else is the platform's to encode. */
function encodeBody(body: unknown, headers: Headers): RequestInit {
  const isJson = typeof body != "string" && (typeof body != "object" || Array.isArray(body) || Object.getPrototypeOf(body) == Object.prototype);
  if (body === undefined || !isJson) return { body: body as BodyInit };
  headers.set("content-type", "application/json");
  return { body: JSON.stringify(body) };
}
