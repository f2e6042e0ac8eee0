import { takeCredentials } from "./credentials.js";
import { passing, TransportError } from "./errors.js";
import type { Settings } from "./settings.js";
import type { OutgoingRequest } from "./types.js";
import { within } from "./waiting.js";

/** A request as the options have it, completed by `configureRequest`. Where that fails, as a token's server may, the attempt failed. */
export async function configured(settings: Settings, to: URL, headers: Headers, rejected: boolean, signal: AbortSignal): Promise<OutgoingRequest> {
  const request: OutgoingRequest = { url: new URL(to), headers };
  try {
    await within(settings.configureRequest?.(request, { rejected }), signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof TransportError ? cause : passing("connect-failed", "configureRequest", { cause, delivery: "not-sent" });
  }
  const credentials = takeCredentials(request.url) ?? (request.url.origin == settings.url.origin ? settings.authorization : undefined);
  if (credentials && !headers.has("authorization")) headers.set("authorization", credentials);
  return request;
}
