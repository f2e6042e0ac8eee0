import { watchPolicy } from "./blocked.js";
import type { ProtocolContext, Target } from "./connection.js";
import { asFinal, deliveryOf, TransportError, toTransportError } from "./errors.js";
import { drawKey } from "./keys.js";
import type { OutgoingSend } from "./outgoing.js";
import { refusalOf, unanswered } from "./refusals.js";
import { configured } from "./requests.js";
import type { Settings } from "./settings.js";
import { noteStart, startsOnce } from "./starts-once.js";

/**
 * The HTTP side of one transport: opens the stream as often as that is safe, posts messages, asks the server to stop. A request with
 * side effects is sent once, unless it certainly did nothing, the server starts once for its key, or the caller allowed more; where the
 * server named the stream as a resource, that is read from then on.
 */
export type Http = ReturnType<typeof createHttp>;

/** That of a transport: one for all its forms. */
export const httpOf = ({ settings, target }: ProtocolContext): Http => ((target as Target & { http?: Http }).http ??= createHttp(settings, target));

function createHttp(settings: Settings, target: Target) {
  const { method, url, allowReplay, body, sendUrl, configureRequest, services: { fetch } } = settings;
  const startKey = drawKey();             // the same each time, so that a server can start once
  let mayHaveActed = false;               // the server may have acted on a request with side effects
  let isPerennial = false;                // the stream's own server announced the protocol, over this connection or an earlier one

  const isRead = () => !!target.url;
  const mayRepeat = () => allowReplay ?? startsOnce(url);
  const maySend = () => isRead() || !mayHaveActed || mayRepeat();

  return {
    /** Whether the stream can go on over another request. `canResume`: repeating would hand out nothing twice. */
    canContinue: (canResume: boolean): boolean => isRead() || (mayRepeat() && canResume),

    /** Whether a message may be posted again: the stream's own server recognizes it, of another only the caller knows. */
    repeatsPosts: () => !!allowReplay || (isPerennial && !sendUrl),

    /** Opens the stream: the response has a success status, and its body is unread. */
    async open(fields: Record<string, string>, lastEventId: string | undefined, signal: AbortSignal): Promise<Response> {
      if (!maySend()) throw new TransportError("interrupted", "see allowReplay");
      const headers = new Headers(fields);
      // Header fields hold bytes; an id goes back as the UTF-8 it came in (HTML standard, 9.2.3).
      if (lastEventId !== undefined) headers.set("last-event-id", String.fromCharCode(...new TextEncoder().encode(lastEventId)));
      if (isRead()) return request("GET", target.url!, headers, signal);
      headers.set("idempotency-key", quoted(startKey));
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

    /** Posts one message, named by its key so that the server can recognize a repetition. */
    async post({ data, kind, key }: OutgoingSend, signal: AbortSignal): Promise<"acknowledged"> {
      if (!sendUrl && !isRead()) throw new TransportError("not-connected", "sendUrl is not set", { delivery: "not-sent" });
      const headers = new Headers({ "idempotency-key": quoted(key) });
      // That of text is the platform's own.
      if (kind != "text") headers.set("content-type", kind == "json" ? "application/json" : "application/octet-stream");
      await ask("POST", sendUrl || target.url!, headers, signal, data);
      return "acknowledged";
    },

    /** Asks the server to stop producing the stream. */
    stop: (signal: AbortSignal): Promise<void> => ask("DELETE", target.url ?? url, new Headers(), signal),
  };

  /** Makes a request whose answer says all by its status. */
  async function ask(...what: Parameters<typeof request>): Promise<void> {
    const { body } = await request(...what);
    await body?.cancel();
  }

  /** Makes a request, once more where it was refused for want of credentials. */
  async function request(method: string, to: URL, headers: Headers, signal: AbortSignal, body?: BodyInit, mark?: (isSent: boolean) => void): Promise<Response> {
    // Who sends this is told by events how a run ended. To another origin it would need a permission that servers of others do not give (Fetch standard, 4.9).
    if (to.origin == (globalThis.location ?? to).origin) headers.set("perennial-protocol", "1");
    new Headers(settings.headers()).forEach((value, name) => {
      if (mark || name != "idempotency-key") headers.set(name, value);      // the caller's is for the start: messages have one each
    });
    for (let rejected = false; ; rejected = true) {
      const outgoing = await configured(settings, to, headers, rejected, signal);
      mark?.(true);
      if (!IN_NODE) watchPolicy();
      const response = await fetch(outgoing.url, {
        method, headers, signal,
        body: body!,
        cache: "no-store",      // does in a browser what the field Cache-Control would do, without a CORS preflight
        credentials: settings.credentials ?? "same-origin",
        redirect: method == "GET" ? "follow" : "manual",      // else a 301 would turn a POST into a GET of another page
      }).catch(async (cause: unknown) => {
        signal.throwIfAborted();
        throw await unanswered(outgoing.url, cause, settings, signal);
      });
      if (mark) noteStart(url, response);
      isPerennial ||= response.headers.has("perennial-protocol");
      if (response.ok) return response;
      const error = await refusalOf(response, settings, signal);
      if (response.status != 401 || rejected || !configureRequest) throw error;
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
}

/** A structured-field string (draft-ietf-httpapi-idempotency-key-header, 2.1). */
const quoted = (key: string): string => `"${key}"`;

/** Plain objects, arrays and the like as JSON; anything else is the platform's to encode. */
function encodeBody(body: unknown, headers: Headers): BodyInit {
  if (![Object, Array, Number, Boolean].includes((body as object | undefined)?.constructor as ObjectConstructor)) return body as BodyInit;
  headers.set("content-type", "application/json");
  return JSON.stringify(body);
}
