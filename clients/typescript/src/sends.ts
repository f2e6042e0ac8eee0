import { type Backoff, createBackoff } from "./backoff.js";
import type { Connection } from "./connection.js";
import { TransportError, toTransportError } from "./errors.js";
import type { Settings } from "./settings.js";
import type { SendOutcome } from "./types.js";
import { after, onAbort, sleep, within } from "./waiting.js";

/** A message on its way out. */
export interface OutgoingSend {
  readonly data: string | Uint8Array<ArrayBuffer>;
  readonly kind: "text" | "json" | "binary";
  /** Names the message: a repetition has the same. */
  readonly key: string;
}

/** A message that waits in the list, and what is known of it. */
export interface PendingSend extends OutgoingSend {
  /** Its number under `perennial.v1`, once it has one: then it stays until it is answered, whoever still waits for that. */
  number?: number;
  /** Whether some try may have reached the peer: what a later try finds out does not change that. */
  mayHaveArrived: boolean;
  /** Whether the caller knows its fate, so that only its number matters. */
  settled: boolean;
  /** Ends the present try. */
  readonly leave: AbortController;
  readonly backoff: Backoff;
  readonly settle: (result: SendOutcome | TransportError) => void;
}

/** 128 random bits; `randomUUID` is for pages of secure origins only. */
export const drawKey = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Outgoing messages, in the order of the calls; each ends with what is truly known of it. */
export type SendList = ReturnType<typeof createSendList>;

export function createSendList(settings: Settings, current: () => Connection | undefined, onSent: () => void) {
  const { queueCapacity, timeout } = settings.send;
  const waiting: PendingSend[] = [];
  let isRunning = false;

  const list = {
    /** Those waiting, the first one first. */
    waiting: waiting as readonly PendingSend[],
    /** How the sender is known under `perennial.v1`: kept over connections, forgotten where a message's fate was left open. */
    sender: undefined as { id: string; next: number } | undefined,

    add(message: OutgoingSend, signal: AbortSignal | undefined): Promise<SendOutcome> {
      if (waiting.length >= queueCapacity) {
        return Promise.reject(new TransportError("send-queue-full", queueCapacity, { delivery: "not-sent" }));
      }
      return new Promise((resolve, reject) => {
        const leave = new AbortController();
        const send: PendingSend = {
          ...message,
          mayHaveArrived: false,
          settled: false,
          leave,
          backoff: createBackoff(settings),
          settle(result) {
            if (send.settled) return;
            send.settled = true;
            if (typeof result == "string") onSent();
            (result instanceof TransportError ? reject : resolve)(result as never);
            leave.abort();
          },
        };
        waiting.push(send);
        onAbort(signal, () => {
          send.settled = true;
          reject(signal!.reason);
          leave.abort();
          if (send.number === undefined) list.remove(send);
        }, leave.signal);
        list.run();
      });
    },

    remove(send: PendingSend): void {
      const at = waiting.indexOf(send);
      if (at >= 0) waiting.splice(at, 1);
    },

    /** Rejects a message that was tried for too long, as far as its caller is concerned; returns what prevents it. */
    limit: (send: PendingSend): (() => void) =>
      after(settings.services, timeout, () => send.settle(new TransportError("send-timeout", timeout, { delivery: "unknown" }))),

    /** The transport is over: nothing that waits will be sent. */
    fail(): void {
      for (const send of waiting.splice(0)) {
        if (send.number !== undefined) list.sender = undefined;
        const delivery = send.mayHaveArrived ? "unknown" : "not-sent";
        send.settle(new TransportError("not-connected", undefined, { delivery }));
      }
    },

    /** Sends what waits over the present connection. Called when there is one, and when something is added. */
    async run(): Promise<void> {
      if (isRunning) return;
      isRunning = true;
      for (let connection; waiting[0] && (connection = current()); ) {
        if (connection.sendAll) {
          connection.sendAll(list);
          break;
        }
        await trySend(connection, waiting[0]);
      }
      isRunning = false;
    },
  };
  return list;

  async function trySend(connection: Connection, send: PendingSend): Promise<void> {
    const limit = new AbortController();
    const timedOut = () => limit.abort(new TransportError("send-timeout", timeout, { transient: connection.repeatsSends }));
    const cancel = after(settings.services, timeout, timedOut);
    onAbort(send.leave.signal, () => limit.abort(), limit.signal);
    const { mayHaveArrived } = send;
    try {
      if (send.number !== undefined) throw new TransportError("connection-lost", "sent in another form");
      const sending = connection.send(send, limit.signal);
      send.mayHaveArrived = true;
      send.settle(await within(sending, limit.signal));
      list.remove(send);
    } catch (error) {
      const known = toTransportError(error);
      send.mayHaveArrived = mayHaveArrived || known.delivery != "not-sent";
      await afterFailure(connection, send, known);
    } finally {
      cancel();
    }
  }

  async function afterFailure(connection: Connection, send: PendingSend, error: TransportError): Promise<void> {
    try {
      if (send.settled) throw error;
      if (send.mayHaveArrived && !connection.repeatsSends) throw error;
      await sleep(settings.services, send.backoff.afterFailure(error), send.leave.signal);
    } catch (final) {
      const known = toTransportError(final);
      send.settle(new TransportError(known.code, known.message, { ...known, delivery: send.mayHaveArrived ? "unknown" : "not-sent" }));
      list.remove(send);
    }
  }
}
