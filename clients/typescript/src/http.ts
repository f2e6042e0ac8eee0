import type { ProtocolContext, Target } from "./connection.js";
import { asFinal, deliveryOf, passing, TransportError, toTransportError } from "./errors.js";
import type { Settings } from "./settings.js";
import type { OutgoingSend } from "./outgoing.js";
import type { OutgoingRequest } from "./types.js";
import { within } from "./waiting.js";

/**
 * The HTTP side of one transport: opens the stream as often as that is safe, posts messages, asks the server to stop. A request with
 * side effects is sent once, unless it certainly did nothing or the caller allowed more; where the server named the stream as a
 * resource, that is read from then on.
 */
export type Http = ReturnType<typeof createHttp>;

/** That of a transport: one for all its forms. */
export function httpOf({ settings, target }: ProtocolContext): Http {
  const http = made.get(target) ?? createHttp(settings, target);
  made.set(target, http);
  return http;
}

const made = new WeakMap<Target, Http>();

/** What undici says of a connection that never stood. Browsers do not say. */
const NEVER_CONNECTED = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|CONNECT_TIMEOUT/;

export function createHttp(settings: Settings, target: Target) {
  const { method, url, allowReplay, body, sendUrl, configureRequest, services: { fetch, now } } = settings;
  let mayHaveActed = false;               // the server may have acted on a request with side effects

  const isRead = () => !!target.url;
  const maySend = () => isRead() || !mayHaveActed || !!allowReplay;

  return {
    /** Whether the stream can go on over another request. `canResume`: repeating would hand out nothing twice. */
    canContinue: (canResume: boolean): boolean => isRead() || (!!allowReplay && canResume),

    /** Opens the stream: the response has a success status, and its body is unread. */
    async open(fields: Record<string, string>, lastEventId: string | undefined, signal: AbortSignal): Promise<Response> {
      if (!maySend()) throw new TransportError("interrupted", "see allowReplay");
      const headers = new Headers(fields);
      // Header fields hold bytes; an id goes back as the UTF-8 it came in (HTML standard, 9.2.3).
      if (lastEventId !== undefined) headers.set("last-event-id", String.fromCharCode(...new TextEncoder().encode(lastEventId)));
      if (isRead()) return request("GET", target.url!, headers, signal);
      try {
        const response = await request(method, url, headers, signal, encodeBody(body, headers), (isSent) => (mayHaveActed = isSent));
        nameResource(response);
        return response;
      } catch (failure) {
        const error = toTransportError(failure);
        mayHaveActed &&= deliveryOf(error) == "unknown";
        throw maySend() || !error.transient ? error : asFinal(error, error.status ? error.code : "interrupted");
      }
    },

    /** Posts one message, named by its key so that the server can recognise a repetition. */
    async post({ data, kind, key }: OutgoingSend, signal: AbortSignal): Promise<"acknowledged"> {
      if (!sendUrl && !isRead()) throw new TransportError("not-connected", "sendUrl is not set", { delivery: "not-sent" });
      // A structured-field string (draft-ietf-httpapi-idempotency-key-header, 2.1).
      const headers = new Headers({ "idempotency-key": `"${key}"` });
      // That of text is the platform's own.
      if (kind != "text") headers.set("content-type", kind == "json" ? "application/json" : "application/octet-stream");
      const response = await request("POST", sendUrl ? sendUrl : target.url!, headers, signal, data);
      await response.body?.cancel();
      // Followed by another method, perhaps, and answered by a login page: that acknowledges nothing.
      if (response.redirected) throw new TransportError("redirect-refused");
      return "acknowledged";
    },

    /** Asks the server to stop producing the stream. */
    async stop(signal: AbortSignal): Promise<void> {
      const response = await request("DELETE", target.url ?? url, new Headers(), signal);
      await response.body?.cancel();
    },
  };

  /** Makes a request, once more where it was refused for want of credentials. */
  async function request(method: string, to: URL, headers: Headers, signal: AbortSignal, body?: BodyInit, mark?: (isSent: boolean) => void): Promise<Response> {
    new Headers(settings.headers).forEach((value, name) => headers.set(name, value));
    for (let rejected = false; ; rejected = true) {
      const outgoing: OutgoingRequest = { url: new URL(to), headers };
      await within(configureRequest?.(outgoing, { rejected }), signal);
      signal.throwIfAborted();
      mark?.(true);
      const response = await fetch(outgoing.url, {
        method, headers, signal,
        body: body!,
        cache: "no-store",      // does in a browser what the field Cache-Control would do, without a CORS preflight
        credentials: settings.credentials ?? "same-origin",
      }).catch((cause: { cause?: { code?: string } }) => {
        signal.throwIfAborted();
        throw passing("connect-failed", outgoing.url.host, { cause, delivery: NEVER_CONNECTED.test(cause.cause?.code!) ? "not-sent" : undefined });
      });
      if (response.ok) return response;
      await response.body?.cancel();
      if (response.status != 401 || rejected || !configureRequest) throw statusError(response);
      mark?.(false);
    }
  }

  /** Only the endpoint's own origin can name the resource, and only at itself: requests to it carry credentials. */
  function nameResource({ headers, url: answering }: Response): void {
    const location = headers.get("content-location");
    const base = new URL(answering || url);
    const named = new URL(location ?? "", base);
    if (location !== null && base.origin == url.origin && named.origin == url.origin) target.url = named;
  }

  function statusError({ status, headers }: Response): TransportError {
    // Seconds or a date (RFC 9110, 10.2.3); a date in the past is no wait.
    const value = headers.get("retry-after")!;
    const wait = /^\d+$/.test(value) ? +value * 1000 : Math.max(Date.parse(value) - now(), 0);
    return new TransportError("http-status", status, { status, transient: settings.reconnect.retryStatusCodes.includes(status), retryAfter: wait >= 0 ? wait : undefined });
  }
}

/** Plain objects, arrays and the like as JSON; anything else is the platform's to encode. */
function encodeBody(body: unknown, headers: Headers): BodyInit {
  if (![Object, Array, Number, Boolean].includes((body as object | undefined)?.constructor as ObjectConstructor)) return body as BodyInit;
  headers.set("content-type", "application/json");
  return JSON.stringify(body);
}
