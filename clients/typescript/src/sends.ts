import { createBackoff } from "./backoff.js";
import type { Connection } from "./connection.js";
import { asFinal, deliveryOf, passing, TransportError, toTransportError } from "./errors.js";
import { drawKey } from "./keys.js";
import type { PendingSend, SendList } from "./outgoing.js";
import type { Settings } from "./settings.js";
import type { SendOutcome } from "./types.js";
import { childOf, limitOf, onAbort, sleep, within } from "./waiting.js";

/** Keeps outgoing messages in the order of the calls; each ends with what is truly known of it. */
export function createSendList(settings: Settings, current: () => Connection | undefined, onSent: (outcome: SendOutcome) => void): SendList {
  const { services, send: { queueCapacity, timeout } } = settings;
  const waiting: PendingSend[] = [];
  const backoff = createBackoff(settings);      // of the first one
  let isRunning = false;

  const list: SendList = {
    waiting,

    add: (data, kind, signal) => new Promise<SendOutcome>((resolve, reject) => {
      if (waiting.length >= queueCapacity) throw new TransportError("send-queue-full", queueCapacity, { delivery: "not-sent" });
      const fate = childOf(signal);
      const settled = fate.signal;
      const send: PendingSend = {
        data,
        kind,
        key: drawKey(),
        delivery: "not-sent",
        settled,
        settle(outcome, failure) {
          if (outcome && !settled.aborted) onSent(outcome);
          if (outcome) resolve(outcome);
          reject(failure);
          fate.abort();
        },
      };
      waiting.push(send);
      onAbort(settled, () => {
        reject(settled.reason);      // the caller's, unless it knows the fate
        if (!send.number) list.remove(send);
      });
      void list.run();
    }),

    remove(send: PendingSend): void {
      const at = waiting.indexOf(send);
      if (at >= 0) waiting.splice(at, 1);
    },

    fail(cause?: unknown): void {
      for (const send of waiting.splice(0)) fail(send, new TransportError(cause ? "unexpected" : "not-connected", "", { cause }));
    },

    async run(): Promise<void> {
      if (isRunning) return;
      isRunning = true;
      try {
        for (let connection; waiting[0] && (connection = current()); ) {
          if (connection.sendAll) {
            connection.sendAll(list);
            break;
          }
          await trySend(connection, waiting[0]);
        }
      } catch (failure) {
        list.fail(failure);      // of a form that is not ours
      } finally {
        isRunning = false;
      }
    },
  };
  return list;

  async function trySend(connection: Connection, send: PendingSend): Promise<void> {
    const { delivery, settled } = send;
    const limit = limitOf(settled, services, timeout, () => passing("send-timeout", timeout));
    try {
      if (send.number) throw new TransportError("connection-lost", "sent in another form");
      const sending = connection.send(send, limit.signal);
      send.delivery = "unknown";
      send.settle(await within(sending, limit.signal));
    } catch (failure) {
      const error = toTransportError(failure);
      if (delivery == "not-sent") send.delivery = deliveryOf(error);
      try {
        if (send.delivery == "unknown" && !connection.repeatsSends()) throw error;
        return await sleep(services, backoff.afterFailure(error), settled);
      } catch (failure) {
        const error = toTransportError(failure);
        fail(send, error.code == "http-status" && !error.transient ? asFinal(error, "send-rejected") : error);
      }
    } finally {
      limit.abort();
    }
    backoff.failedTries = 0;
    list.remove(send);
  }

  /** Ends with an error that says what is known of the message. */
  function fail(send: PendingSend, error: TransportError): void {
    send.settle(undefined, Object.assign(error, { delivery: send.delivery }));
  }
}
