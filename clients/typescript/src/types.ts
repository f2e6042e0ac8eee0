import type { TransportError } from "./errors.js";

/** Where a transport is in its life. */
export type TransportState = "idle" | "connecting" | "connected" | "reconnecting" | "failed" | "closed";

/** The form in which a stream travels. */
export type TransportKind = "auto" | "sse" | "websocket" | "http-stream" | "long-poll";

/** One message of a stream. */
export interface StreamMessage {
  /** The id to resume after, where the server numbers its messages. */
  readonly id: string | undefined;
  /** The event's name; `message` where the server gives none. */
  readonly type: string;
  /** The payload as text. Empty for bytes. */
  readonly data: string;
  /** The payload, where it is bytes. */
  readonly binary: Uint8Array | undefined;
  /** Whether messages are missing, or may be repeated, before this one. */
  readonly followsGap: boolean;
  /** The payload parsed as JSON, once. Throws a `SyntaxError` where it is none. */
  json<T = unknown>(): T;
}

/** How a stream ended. Different endings are different values. */
export type StreamEnd =
  /** `completed`: all was said, and all of it arrived. `stopped`: the server was asked to stop. `closed`: this side left. */
  | { readonly reason: "completed" | "stopped" | "closed"; readonly error?: undefined }
  /** `interrupted`: going on would repeat a side effect or restart the stream. `failed`: an error that retrying does not mend. */
  | { readonly reason: "interrupted" | "failed"; readonly error: TransportError };

/** What a message means for its stream beyond its payload. */
export type StreamSignal =
  /** An ordinary message. */
  | "message"
  /** The end; the message itself is not delivered. */
  | "completed"
  /** The last message: delivered, then the stream is complete. */
  | "delivered-then-completed"
  /** The producer was stopped on request; not delivered. */
  | "stopped"
  /** The producer failed; the message says why, and is not delivered. */
  | "failed"
  /** An error within a stream that goes on: announced, and delivered. */
  | "error"
  /** Messages are missing before the next one; not delivered. */
  | "gap"
  /** Protocol noise: not delivered. */
  | "ignored";

/** The format of an AI provider. Called once for each transport; what it returns, once for each response. */
export type Dialect = () => (response: Response, request: DialectRequest) => DialectReading;

/** What a {@link Dialect} knows of the request that opens the stream. */
export interface DialectRequest {
  readonly method: string;
  headers(): Readonly<Record<string, string>> | undefined;
}

/** How a {@link Dialect} reads one response. */
export interface DialectReading {
  /** Whether the response may not end here. */
  readonly isUnfinished: boolean;
  /** What a message means; `undefined`: the format is not known, or not yet. */
  classify(message: StreamMessage): StreamSignal | undefined;
}

/** What {@link ReconnectOptions.shouldRetry} may know. */
export interface RetryContext {
  /** What went wrong. */
  readonly error: TransportError;
  /** The number the next attempt would have, from 1. */
  readonly attempt: number;
  /** What would be decided without `shouldRetry`. */
  readonly transient: boolean;
}

/**
 * How lost connections are replaced. The wait before attempt n is `min(initialDelay * multiplier^(n-1), maxDelay)`; with jitter,
 * anything between half of it and all of it. All times are milliseconds.
 */
export interface ReconnectOptions {
  /** Whether to reconnect at all. Default true. */
  readonly enabled?: boolean | undefined;
  /** Attempts after the one that failed first. Default 5. The count clears with progress: a new message of a stream that resumes exactly, a send that is acknowledged, or `stableAfter`; never at a mere handshake. */
  readonly maxAttempts?: number | undefined;
  /** The first wait. Default 1000. A server's `retry:` takes its place, but not below 250 or this, whichever is less. */
  readonly initialDelay?: number | undefined;
  /** How much longer each wait is than the one before. Default 2. */
  readonly multiplier?: number | undefined;
  /** The longest wait, jitter and `retry:` included. Default 30 000. */
  readonly maxDelay?: number | undefined;
  /** Whether waits are spread at random. Default true. */
  readonly jitter?: boolean | undefined;
  /** How long a connection must stand to count as progress. Default 10 000. */
  readonly stableAfter?: number | undefined;
  /** The longest `Retry-After` that is obeyed; it may exceed `maxDelay`. Default one hour. */
  readonly maxRetryAfter?: number | undefined;
  /** The HTTP statuses worth another attempt. Default 408, 425, 429, 500, 502, 503, 504, 520 to 524, 529, 530. */
  readonly retryStatusCodes?: readonly number[] | undefined;
  /** Has the last word on whether an error is worth another attempt; attempts and replay safety still hold. */
  readonly shouldRetry?: ((context: RetryContext) => boolean) | undefined;
}

/** Where a stream goes on, in another process, page or device. A plain value that JSON can hold. */
export interface ResumePoint {
  /** The URL of the stream. Where a POST started it, the URL that the server named in `Content-Location`. */
  readonly url: string;
  /** The id of the last message that the reader took. Absent: the start of the stream. */
  readonly lastEventId?: string | undefined;
  /**
   * False where messages without an id followed that one: a transport that resumes here cannot know what is repeated or missing, and
   * announces a gap. Otherwise absent.
   */
  readonly exact?: boolean | undefined;
}

/** How messages wait for their reader. */
export interface BufferOptions {
  /** Messages that may wait. Default 1000. */
  readonly capacity?: number | undefined;
  /** What happens when the buffer is full. Default `block`: stop reading, which loses nothing. Drops are counted and announced. */
  readonly fullMode?: "block" | "drop-oldest" | "drop-newest" | "unlimited" | undefined;
  /** The share of the capacity at which `backpressure` and `drain` are raised. Default 0.8. */
  readonly highWaterMark?: number | undefined;
}

/** How outgoing messages wait for a connection. */
export interface SendOptions {
  /** Messages that may wait. Default 256. A send beyond it fails at once. */
  readonly queueCapacity?: number | undefined;
  /** How long one try of one message may take, in milliseconds. Default 30 000. */
  readonly timeout?: number | undefined;
}

/** A request about to be made; `configureRequest` may change it. */
export interface OutgoingRequest {
  /** Where it goes. A WebSocket takes nothing but this from a browser. */
  url: URL;
  /** Its header fields. */
  readonly headers: Headers;
}

/** What a transport is told. Only `url` has no default. Times are milliseconds. */
export interface TransportOptions {
  /** The URL of the stream; relative to the page, where there is one. */
  readonly url: string | URL;
  /** How long one attempt may take until the server accepts it. Default 30 000. */
  readonly connectTimeout?: number | undefined;
  /**
   * How long a connection may stay without any byte, heartbeats included, before it counts as lost. Default five minutes, or three
   * heartbeats where the server announces its interval. `Infinity`: never. Time in which this side does not read does not count.
   */
  readonly idleTimeout?: number | undefined;
  /** The longest message accepted: characters, or bytes where it is binary. Default 4 Mi. */
  readonly maxMessageLength?: number | undefined;
  /** Where to resume from at the first connection: the id of the last message that was processed. */
  readonly lastEventId?: string | undefined;
  /**
   * Goes on from here, as {@link Transport.resumePoint} of another transport was: the stream is read by GET at this URL, and `method`,
   * `body` and `lastEventId` are not used. Throws a `RangeError` where its origin is not that of `url`.
   */
  readonly resumeFrom?: ResumePoint | undefined;
  /** What an end in good order without an end marker means: the end (default), a lost connection, or time to come back. */
  readonly endOfStream?: "complete" | "require-marker" | "reconnect" | undefined;
  /** Replaces the conventions for end markers and error messages. */
  readonly classify?: ((message: StreamMessage) => StreamSignal) | undefined;
  /**
   * The format of an AI provider, from `@perennial/client/dialects`, for SSE and JSON lines: it decides when an answer is complete, and how it
   * fails. A body that ends without the format's own end is a lost connection. Default: none. `classify` is asked only while no format is
   * known. Not used where the server announces Perennial's protocol.
   */
  readonly dialect?: Dialect | undefined;
  /** How lost connections are replaced; `false`: not at all. */
  readonly reconnect?: ReconnectOptions | false | undefined;
  /** How messages wait for their reader. */
  readonly buffer?: BufferOptions | undefined;
  /** How outgoing messages wait for a connection. */
  readonly send?: SendOptions | undefined;
  /** Closes the transport for good when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** The method that opens the stream. Default POST with a `body`, else GET. */
  readonly method?: string | undefined;
  /** The body of the request that opens the stream. Plain objects, arrays and numbers are sent as JSON, anything else as `fetch` sends it. */
  readonly body?: unknown;
  /** Headers of every request; a function is called before each. A WebSocket of a browser can send none: there it is refused, and `auto` takes another form. */
  readonly headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>> | undefined) | undefined;
  /** Whether cookies go along, as for `fetch`. Default `same-origin`. */
  readonly credentials?: "omit" | "same-origin" | "include" | undefined;
  /** Completes each request just before it is sent: the place for a token that expires. Where it fails, so has the attempt. `rejected`: a 401 answered the one before. */
  readonly configureRequest?: ((request: OutgoingRequest, context: { readonly rejected: boolean }) => void | Promise<void>) | undefined;
  /** Whether a request other than GET may be repeated although the server may have acted on it. Default false. */
  readonly allowReplay?: boolean | undefined;
  /** Where messages are posted to. Default: the stream's own resource. */
  readonly sendUrl?: string | URL | undefined;
  /** HTTP stream: JSON lines (default), or raw chunks, each a message with `data` and `binary`. */
  readonly framing?: "ndjson" | "raw" | undefined;
  /** Long polling: the least time from the start of one request to the start of the next. Default 250. */
  readonly interval?: number | undefined;
  /** WebSocket: subprotocols to offer. Default `["perennial.v1"]`; `[]` for a server that speaks plain messages. */
  readonly protocols?: readonly string[] | undefined;
  /** WebSocket without `perennial.v1`: ask by `{"type":"ping"}` after so much silence, and wait so long. Default: do not ask. */
  readonly heartbeat?: { readonly interval: number; readonly timeout: number } | undefined;
  /**
   * Auto: how long one form may take until it is answered, and where the server announces heartbeats until its first byte, before the next
   * is tried. Default 5000; less where `connectTimeout` would not leave all of them their turn. The last one has all the time that is left.
   */
  readonly probeTimeout?: number | undefined;
  /** Where to write what happens, one line an event: `console`, for example. No payload, header or URL stands in it. Default: nowhere. */
  readonly logger?: Logger | undefined;
  /** Clock, chance and network, for tests and for runtimes without a global `WebSocket`. */
  readonly services?: Partial<TransportServices> | undefined;
}

/** Takes lines of a log; `console` is one. */
export interface Logger {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** Bytes that are not shared between threads: `Uint8Array<ArrayBuffer>`, a name that TypeScript before 5.7 does not know. */
export type Bytes = ReturnType<Uint8Array["slice"]>;

/** The part of a WebSocket that is used; the platform's and that of the `ws` package have it. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Bytes): void;
  close(code?: number, reason?: string): void;
  /** Stops reading from the network; not in browsers. */
  pause?(): void;
  /** Reads on. */
  resume?(): void;
  /** Leaves without a goodbye. */
  terminate?(): void;
}

/** Clock, chance and network. */
export interface TransportServices {
  /** Default: the global one. */
  readonly fetch: (url: URL, init: RequestInit) => Promise<Response>;
  /** Default: the global one. */
  readonly WebSocket: (new (url: URL, protocols: string[] | object, options?: object) => WebSocketLike) | undefined;
  /** Milliseconds since 1970, of a clock that goes on while the machine sleeps, and never back. */
  readonly now: () => number;
  readonly setTimeout: (callback: () => void, milliseconds: number) => unknown;
  readonly clearTimeout: (timer: never) => void;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Tells of `online`, `visibilitychange`, `pagehide` and `pageshow`. Default: the page, where there is one. */
  readonly host: Pick<EventTarget, "addEventListener" | "removeEventListener"> | undefined;
  /** Whether there certainly is no network. */
  readonly isOffline: () => boolean;
}

/** What the events of a transport say. */
export interface TransportEvents {
  /** An attempt begins. `attempt` is 0 for the first, then the number of the reconnect attempt. */
  connecting: { readonly attempt: number };
  /** A connection stands. */
  connected: { readonly attempt: number; readonly resumedFrom: string | undefined };
  /** A connection was lost or could not be made; another attempt follows after a wait. */
  reconnecting: { readonly attempt: number; readonly delay: number; readonly maxAttempts: number };
  /** A message. A handler that returns a promise is waited for. While there is a handler, the sequence cannot be read. */
  event: StreamMessage;
  /** The stream completed or was stopped; all messages came before. */
  done: StreamEnd;
  /** Something went wrong, recoverable or not. */
  error: ErrorEvent;
  /** The transport is closed. Once for each start, and last. */
  closed: StreamEnd;
  /** The buffer filled up to its mark. */
  backpressure: { readonly size: number; readonly capacity: number; readonly mark: number };
  /** The buffer emptied below its mark. */
  drain: { readonly size: number };
  /** Messages are missing, or may be repeated, before the next one. */
  gap: { readonly reason: "announced" | "not-numbered"; readonly requested: string | undefined; readonly resumesAt: string | undefined };
  /** Messages were dropped because the buffer was full. */
  dropped: { readonly count: number; readonly total: number };
}

/** An error, and what it meant when it happened. */
export interface ErrorEvent {
  readonly error: TransportError;
  readonly code: TransportError["code"];
  /** Whether the stream goes on, perhaps after a reconnect. */
  readonly recoverable: boolean;
  readonly state: TransportState;
  /** Consecutive failures so far, this one included; 0 for an error that touched no connection. */
  readonly attempt: number;
  /** When: milliseconds since 1970. */
  readonly time: number;
}

/** Called with what an event says. */
export type EventHandler<Name extends keyof TransportEvents> = (detail: TransportEvents[Name]) => unknown;

/** What `subscribe` shows. Immutable, and the same object until something changes. */
export interface TransportSnapshot {
  readonly state: TransportState;
  /** Consecutive failures; 0 while all is well. */
  readonly attempt: number;
  readonly lastEventId: string | undefined;
  readonly messagesReceived: number;
  /** Messages waiting for their reader. */
  readonly bufferSize: number;
  readonly paused: boolean;
  /** The error behind the present reconnecting or failing. */
  readonly error: TransportError | undefined;
  /** How the stream ended, once it has. */
  readonly end: StreamEnd | undefined;
}

/** What a transport did so far, over all its connections. Times are milliseconds. */
export interface TransportMetrics {
  readonly id: string;
  readonly kind: string;
  readonly state: TransportState;
  /** When the present connection was established. */
  readonly connectedAt: number | undefined;
  readonly connectionDuration: number;
  /** When something last arrived, heartbeats included, or a message last left. */
  readonly lastActivityAt: number | undefined;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  /** Bytes read from connections after decompression; of WebSockets, characters and bytes of their messages. */
  readonly bytesReceived: number;
  readonly errors: number;
  readonly reconnectAttempts: number;
  readonly resumes: number;
  readonly gaps: number;
  readonly dropped: number;
  readonly handlerErrors: number;
  readonly bufferSize: number;
  /** From the first call to connect until the first message. */
  readonly timeToFirstMessage: number | undefined;
  /** From the network to the reader, waits in the buffer included: over the last 256 messages. */
  readonly averageLatency: number;
  readonly latencyP50: number;
  readonly latencyP95: number;
  readonly latencyP99: number;
  readonly lastError: TransportError | undefined;
}

/** What became of a message: the peer confirmed it, or it left this machine. */
export type SendOutcome = "acknowledged" | "sent";

/** The key of what `await using` calls, where TypeScript knows it: from 5.2 on, with the library `ESNext.Disposable`. */
type AsyncDisposeKey = SymbolConstructor extends { readonly asyncDispose: infer Key extends symbol } ? Key : never;

/** Closes with `await using`. */
export type ClosedByUsing = { readonly [Key in AsyncDisposeKey]: () => Promise<void> };

/** One stream over as many connections as it takes. */
export interface Transport extends AsyncIterable<StreamMessage>, ClosedByUsing {
  /** Names this transport among others. */
  readonly id: string;
  /** The form in use; of `auto`, the one that was found. */
  readonly kind: string;
  readonly state: TransportState;
  readonly isConnected: boolean;
  /** Whether a loop or a handler of `event` takes the messages. */
  readonly isBeingRead: boolean;
  /** The id of the last message handed to the buffer, after which the next connection resumes. To go on elsewhere, use `resumePoint`. */
  readonly lastEventId: string | undefined;
  /** What to save in order to go on elsewhere: it follows what the reader took. Absent while a POST has not named its stream. */
  readonly resumePoint: ResumePoint | undefined;
  /** Settles, and never fails, when the stream ends. After another `connect` it is another promise. */
  readonly completion: Promise<StreamEnd>;
  /**
   * Connects, retrying like any later reconnect; settles at the first established connection. After `failed` or `closed` it starts
   * again, with fresh attempts and the same resume point. While it reconnects, it settles at the next connection. Aborting ends the wait,
   * and the transport where this call began connecting.
   */
  connect(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * The messages, each once and in order; connects on first use. Ends when the stream completed, was stopped or closed, and throws a
   * {@link TransportError} when it was interrupted or failed. Leaving the loop leaves the transport connected; giving up
   * while it waits for a message, as cancelling a `ReadableStream.from(transport)` does, closes it.
   */
  read(options?: { readonly signal?: AbortSignal | undefined }): AsyncGenerator<StreamMessage, void, void>;
  /** Sends text or bytes, in the order of the calls; waits while there is no connection. Rejects with a {@link TransportError} that says what is known of the message. */
  send(data: string | Uint8Array, options?: { readonly signal?: AbortSignal | undefined }): Promise<SendOutcome>;
  /** Sends a value as JSON. Rejects with a `TypeError` for what JSON cannot hold. */
  sendJson(value: unknown, options?: { readonly signal?: AbortSignal | undefined }): Promise<SendOutcome>;
  /** Asks the server to stop producing. What it sends until then still arrives. Waits for the answer no longer than `connectTimeout`. */
  stop(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Holds back messages and stops reading from the network. Nothing is lost. */
  pause(): void;
  /** Ends a pause. */
  resume(): void;
  /** Leaves the stream; the server goes on. What has arrived can still be read. Idempotent. */
  close(): Promise<void>;
  /** Adds a handler; returns what removes it. Handlers are called in order and never touch the connection: what they throw is logged and counted. */
  on<Name extends keyof TransportEvents>(event: Name, handler: EventHandler<Name>): () => void;
  /** The store contract: calls the listener now and after every change; returns what ends it. Does not connect. */
  subscribe(listener: (snapshot: TransportSnapshot) => void): () => void;
  getSnapshot(): TransportSnapshot;
  getMetrics(): TransportMetrics;
}
