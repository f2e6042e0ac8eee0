import type { Incoming, Message } from "./message.js";
import type { OutgoingSend, SendList } from "./outgoing.js";
import type { Settings } from "./settings.js";
import type { SendOutcome, StreamSignal } from "./types.js";

/** One connection in one form. It knows nothing of retries, and the loop above it nothing of forms. */
export interface Connection {
  /** The form, where it is not the transport's own. */
  readonly kind?: string;
  /** The longest silence before the peer counts as gone, in milliseconds. */
  readonly longestSilence?: number | undefined;
  /** Whether the server marks the end of the stream, so that an end without a mark is a loss. */
  readonly marksEnd: boolean;
  /** Whether a repeated send is recognized. */
  repeatsSends(): boolean;
  /** Set by whoever reads: called where the peer gave a sign of life in the middle of a read. */
  onActivity?: () => void;
  /** How many bytes have arrived. */
  readonly bytes: number;
  /** Waits for what comes next; `undefined`: the connection ended in good order. Rejects soon after the signal it was opened with aborts. */
  read(): Promise<Incoming[] | undefined>;
  /** What a message means for its stream. */
  classify(message: Message): StreamSignal;
  /** Whether the stream can go on over another connection. */
  canResume(): boolean;
  /** Sends one message. */
  send(message: OutgoingSend, signal: AbortSignal): Promise<SendOutcome>;
  /** In place of `send`: sends whatever the list holds, now and whenever called. */
  readonly sendAll?: ((list: SendList) => void) | undefined;
  /** Asks the server to stop producing. Rejects with `connection-lost` where the connection ends without an answer. */
  stop(signal: AbortSignal): Promise<void>;
  /** Leaves. Called once, after the signal has aborted. */
  close(): void;
}

/** Where and how a connection is opened. */
export interface OpenContext {
  /** Consecutive failures. */
  readonly attempt: number;
  /** Where to resume. */
  readonly lastEventId: string | undefined;
  /** Whether messages were handed over before. */
  readonly hasDelivered: boolean;
  /** Ends the attempt, and later the connection. */
  readonly signal: AbortSignal;
}

/** Where a transport reads its stream. */
export interface Target {
  /** Absent while the request that starts the stream was not answered by the name of one. */
  url?: URL | undefined;
}

/** What one transport's forms share. */
export interface ProtocolContext {
  readonly settings: Settings;
  readonly target: Target;
  readonly sends: SendList;
}

/** A form in which streams travel. Called once a transport; what it returns, once a connection. */
export interface Protocol {
  readonly kind: string;
  /** Waits until an attempt may begin: time that is not the attempt's. Rejects where it would be one that failed. */
  admit?(stop: AbortSignal): Promise<void>;
  create(context: ProtocolContext): (open: OpenContext) => Promise<Connection>;
}
