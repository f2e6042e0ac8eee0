import { passing, TransportError } from "./errors.js";
import type { Settings } from "./settings.js";
import type { OutgoingRequest, TransportServices, WebSocketLike } from "./types.js";

/** Opens a WebSocket on whatever the platform has. A browser's sends no headers; that of `ws` and that of Node do, each in its way. */
export function createSocket({ WebSocket }: TransportServices, { url, headers: given }: OutgoingRequest, offered: string[]): WebSocketLike {
  if (!WebSocket) throw new TransportError("connect-failed", "no WebSocket here, see services");
  const headers = Object.fromEntries(given);
  if (!Object.keys(headers).length) return new WebSocket(url, offered);
  if (!IN_NODE) throw new TransportError("connect-failed", "a WebSocket sends no headers here: put what they say into request.url in configureRequest");
  return "terminate" in WebSocket.prototype ? new WebSocket(url, offered, { headers }) : new WebSocket(url, { protocols: offered, headers });
}

/** The error for a handshake that failed. `ws` says by which status; a browser does not say why. */
export function handshakeError({ url, reconnect }: Settings, offered: string[], { message, error: cause }: { message?: string; error?: unknown }): TransportError {
  const status = IN_NODE && Number(/server response: (\d{3})$/.exec(message ?? "")?.[1]);
  return status
    ? new TransportError("http-status", status, { status, transient: reconnect.retryStatusCodes.includes(status) })
    : passing("connect-failed", `${url.host} (${offered})`, { cause });
}
