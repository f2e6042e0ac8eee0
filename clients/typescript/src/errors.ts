/** What went wrong, for programs. Texts of errors are for people and may change. */
export type ErrorCode =
  /** Code outside the library failed: a callback, a custom protocol. */
  | "unexpected"
  /** The server cannot be reached: name, route, TLS, or a refused WebSocket, or what `blockedBy` says. */
  | "connect-failed"
  /** No answer within `connectTimeout`. */
  | "connect-timeout"
  /** No byte within `idleTimeout`, or three announced heartbeats. */
  | "idle-timeout"
  /** The connection broke off. */
  | "connection-lost"
  /** The reader fell behind on a WebSocket that cannot be slowed down; it is left, and resumed once there is room. */
  | "overrun"
  /** The connection ended in good order, but the stream had not ended. */
  | "ended-without-marker"
  /** The server answered with a status that is not a stream; see `status`. */
  | "http-status"
  /** The response is not of the type this transport reads. */
  | "unexpected-content-type"
  /** The peer does not speak the protocol. */
  | "protocol-violation"
  /** The peer closed a WebSocket for a reason; see `closeCode`. */
  | "closed-by-peer"
  /** A message is larger than `maxMessageLength`. */
  | "message-too-large"
  /** A message was redirected, so that nobody knows whether it arrived. */
  | "redirect-refused"
  /** The connection was lost where going on would repeat a side effect or restart the stream silently. */
  | "interrupted"
  /** The attempts that `reconnect.maxAttempts` allows are spent; the last error is the `cause`. */
  | "attempts-exhausted"
  /** The server asked for a wait longer than `reconnect.maxRetryAfter`. */
  | "retry-after-too-long"
  /** The producer on the server failed; see `serverCode` and `serverMessage`. */
  | "server-failed"
  /** A message is not what the protocol promises; it was left out. */
  | "invalid-message"
  /** The peer refused a message. */
  | "send-rejected"
  /** One try of one send took longer than `send.timeout`. */
  | "send-timeout"
  /** The send queue is full. */
  | "send-queue-full"
  /** The transport is closed or failed, or cannot do what was asked of it. */
  | "not-connected";

/**
 * What keeps a page from a server: a content security policy of the page, a server of another origin that does not allow this one (CORS), or
 * the six connections that a browser opens to a host over HTTP/1.1, all in use by streams of this page.
 */
export type Blocker = "content-security-policy" | "cors" | "connection-limit";

/** What is known about a {@link TransportError} beyond its code. */
export interface ErrorDetails {
  /** Whether another attempt may succeed. Decided where the error was found. */
  readonly transient?: boolean | undefined;
  /** The HTTP status that caused the error. */
  readonly status?: number | undefined;
  /** The WebSocket close code that caused the error (RFC 6455, 7.4). */
  readonly closeCode?: number | undefined;
  /** How long the server asked to be left alone, in milliseconds (RFC 9110, 10.2.3). */
  readonly retryAfter?: number | undefined;
  /** The code in the server's own error message. */
  readonly serverCode?: string | undefined;
  /** What the server's own error message says. It is payload: it is not part of `message`, so that it reaches no log. */
  readonly serverMessage?: string | undefined;
  /** What in the browser is in the way, as far as a page can know it. */
  readonly blockedBy?: Blocker | undefined;
  /** For a failed send: whether the peer may have the message. */
  readonly delivery?: "not-sent" | "unknown" | undefined;
  /** The error behind this one. */
  cause?: unknown;
}

export interface TransportError extends ErrorDetails {}

/** Everything that goes wrong between this program and the peer. Its message never holds a payload, a header or a query string. */
export class TransportError extends Error {
  /** What went wrong, for programs. */
  declare readonly code: ErrorCode;

  /** @param what What of it, in few words; the message is the code and this. */
  constructor(code: ErrorCode, what?: string | number, details: ErrorDetails = {}) {
    super(what ? `${code}: ${what}` : code);
    Object.assign(this, details, { name: "TransportError", code });
  }
}

/** An error that another attempt may mend, unless the details know better. */
export const passing = (code: ErrorCode, what?: string | number, details?: ErrorDetails): TransportError =>
  new TransportError(code, details?.blockedBy ? `${what}, ${details.blockedBy}` : what, { transient: true, ...details });

/** The same error under another code, not worth another attempt. */
export const asFinal = (error: TransportError, code: ErrorCode): TransportError => new TransportError(code, error.message, { ...error, transient: false, cause: error });

/** Errors of foreign code are final: repeating them would repeat a bug. */
export function toTransportError(error: unknown): TransportError {
  return error instanceof TransportError ? error : new TransportError("unexpected", "", { cause: error });
}

/** Whether the peer may have a message whose send failed with this error. An answer below 500 says that it was not taken (RFC 9110, 15.4 and 15.5). */
export const deliveryOf = ({ status, delivery }: TransportError): "not-sent" | "unknown" => (status! < 500 || delivery == "not-sent" ? "not-sent" : "unknown");
