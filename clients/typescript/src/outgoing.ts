import type { Bytes, SendOutcome } from "./types.js";

/** A message on its way out. */
export interface OutgoingSend {
  readonly data: string | Bytes;
  readonly kind: "text" | "json" | "binary";
  /** Names the message: a repetition has the same. */
  readonly key: string;
}

/** A message that waits in the list, and what is known of it. */
export interface PendingSend extends OutgoingSend {
  /** Its number under `perennial.v1`, once it has one: then it stays until it is answered, whoever still waits for that. */
  number?: number;
  /** What is known of it: once some try may have reached the peer, nothing that a later one finds out changes that. */
  delivery: "not-sent" | "unknown";
  /** Aborted once the caller knows its fate, so that only its number matters. */
  readonly settled: AbortSignal;
  /** Tells the caller its fate, unless that is known: an outcome, or why there is none. */
  readonly settle: (outcome?: SendOutcome, failure?: unknown) => void;
}

/** Outgoing messages, in the order of the calls. */
export interface SendList {
  /** Those waiting, the first one first. */
  readonly waiting: readonly PendingSend[];
  /** Adds one; settles with what became of it. */
  add(data: OutgoingSend["data"], kind: OutgoingSend["kind"], signal: AbortSignal | undefined): Promise<SendOutcome>;
  remove(send: PendingSend): void;
  /** Nothing that waits will be sent: the transport is over, or the form failed. */
  fail(cause?: unknown): void;
  /** Sends what waits over the present connection. Called when there is one, and when something is added. */
  run(): Promise<void>;
}
