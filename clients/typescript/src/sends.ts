import { type Backoff, createBackoff } from "./backoff.js";
import type { Connection } from "./connection.js";
import { TransportError, toTransportError } from "./errors.js";
import type { Settings } from "./settings.js";
import type { SendOutcome } from "./types.js";
import { after, childOf, onAbort, sleep, within } from "./waiting.js";

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
const drawKey = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Outgoing messages, in the order of the calls; each ends with what is truly known of it. */
export type SendList = ReturnType<typeof createSendList>;

export function createSendList(settings: Settings, current: () => Connection | undefined, onSent: () => void) {
  const { services, send: { queueCapacity, timeout } } = settings;
  const waiting: PendingSend[] = [];
  let isRunning = false;

  const list = {
    /** Those waiting, the first one first. */
    waiting: waiting as readonly PendingSend[],

    add: (data: OutgoingSend["data"], kind: OutgoingSend["kind"], signal: AbortSignal | undefined) => new Promise<SendOutcome>((resolve, reject) => {
      if (waiting.length >= queueCapacity) throw new TransportError("send-queue-full", queueCapacity, { delivery: "not-sent" });
      const leave = new AbortController();
      const send: PendingSend = {
        data,
        kind,
        key: drawKey(),
        mayHaveArrived: false,
        settled: false,
        leave,
        backoff: createBackoff(settings),
        settle(result) {
          if (send.settled) return;
          send.settled = true;
          if (typeof result == "string") {
            onSent();
            resolve(result);
          }
          reject(result);
          leave.abort();
        },
      };
      waiting.push(send);
      onAbort(signal, () => {
        send.settled = true;
        reject(signal!.reason);
        leave.abort();
        if (!send.number) list.remove(send);
      }, leave.signal);
      void list.run();
    }),

    remove(send: PendingSend): void {
      const at = waiting.indexOf(send);
      if (at >= 0) waiting.splice(at, 1);
    },

    /** The transport is over: nothing that waits will be sent. */
    fail(): void {
      for (const send of waiting.splice(0)) send.settle(failed(send, "not-connected"));
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
    const { mayHaveArrived, leave } = send;
    const { repeatsSends } = connection;
    const limit = childOf(leave.signal);
    const cancel = after(services, timeout, () => limit.abort(new TransportError("send-timeout", timeout, { transient: repeatsSends })));
    try {
      if (send.number) throw new TransportError("connection-lost", "sent in another form");
      const sending = connection.send(send, limit.signal);
      send.mayHaveArrived = true;
      send.settle(await within(sending, limit.signal));
    } catch (failure) {
      const error = toTransportError(failure);
      send.mayHaveArrived = mayHaveArrived || error.delivery != "not-sent";
      try {
        if (send.settled || (send.mayHaveArrived && !repeatsSends)) throw error;
        return await sleep(services, send.backoff.afterFailure(error), leave.signal);
      } catch (failure) {
        const { code, message, ...details } = toTransportError(failure);
        send.settle(failed(send, code, message, details));
      }
    } finally {
      cancel();
      limit.abort();
    }
    list.remove(send);
  }

  /** An error that says what is known of the message. */
  function failed({ mayHaveArrived }: PendingSend, ...[code, what, details]: ConstructorParameters<typeof TransportError>): TransportError {
    return new TransportError(code, what, { ...details, delivery: mayHaveArrived ? "unknown" : "not-sent" });
  }
}
