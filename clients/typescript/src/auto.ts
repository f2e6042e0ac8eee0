import { createClient, type CreateTransport, creatorOf } from "./client.js";
import type { Connection, OpenContext, Protocol } from "./connection.js";
import { passing, TransportError, toTransportError } from "./errors.js";
import { httpStream } from "./http-stream.js";
import { longPoll } from "./long-poll.js";
import type { Incoming } from "./message.js";
import { opened } from "./opening.js";
import { fill } from "./settings.js";
import { sse } from "./sse.js";
import { after, childOf, within } from "./waiting.js";
import { websocket } from "./websocket.js";

export * from "./exports.js";
export { createClient };

/** Statuses that say: not in this form. */
const OTHER_FORM = [405, 406, 415, 426, 501];

/** What worked last, by origin. */
const remembered = new Map<string, string>();

/**
 * The first of these forms that works: falls through where a handshake fails, where the answer has another form, and where a server
 * that announces heartbeats is not heard in time, as behind a proxy that buffers. Remembers what worked.
 */
export const autoOf = (protocols: readonly Protocol[]): Protocol => ({
  kind: "auto",
  create(context) {
    const { settings } = context;
    const { services, url } = settings;
    const { probeTimeout } = fill({ probeTimeout: settings.probeTimeout }, "", 1, { probeTimeout: 5_000 });
    const isRead = settings.method == "GET";
    const usable = protocols.filter(({ kind }) => isRead || !/^(websocket|long-poll)$/.test(kind));
    // So much that all have their turn before the attempt is over; a poll that is held counts as answered after half of it.
    const share = Math.min(probeTimeout, settings.connectTimeout / (usable.length + 1));
    const shared = { ...context, settings: { ...settings, connectTimeout: share } };
    const forms = usable.map((protocol) => ({ kind: protocol.kind, open: protocol.create(shared) }));
    let proven = forms.find(({ kind }) => kind == remembered.get(url.origin));
    let hasWorked = false;      // here: then a failure is no reason to look further at once

    return async (open) => {
      // On another network what worked may not: a second failure in a row widens the search again.
      const order = hasWorked && open.attempt < 2 ? [proven!] : [...(proven ? [proven] : []), ...forms.filter((form) => form != proven)];
      for (const [index, form] of order.entries()) {
        try {
          const connection = await probe(form, open, index < forms.length - 1 ? share : Infinity);
          proven = form;
          hasWorked = true;
          if (remembered.size > 1000) remembered.clear();
          remembered.set(url.origin, form.kind);
          return connection;
        } catch (error) {
          open.signal.throwIfAborted();
          if (index == order.length - 1 || !isOtherForm(toTransportError(error), form.kind)) throw error;
        }
      }
      throw new TransportError("connect-failed");
    };

    /**
     * Opens, and where heartbeats are announced waits for the first byte: a connection that stays silent proves nothing. Within its time,
     * but for a request with side effects: another cannot follow that before it is answered.
     */
    async function probe(form: (typeof forms)[number], open: OpenContext, limit: number): Promise<Connection> {
      const attempt = childOf(open.signal);
      let connection: Connection | undefined;
      const start = () => after(services, limit, () => attempt.abort(passing("connect-timeout", form.kind)));
      let cancel = isRead ? start() : () => {};
      try {
        connection = await opened(form.open({ ...open, signal: attempt.signal }), attempt.signal, services);
        if (form.kind == "websocket") {
          // One that merely accepts every path is not the stream of an http URL.
          if (!connection.marksEnd && !settings.protocols && /^http/.test(url.protocol)) throw passing("connect-failed", "no perennial.v1");
          return named(connection, form.kind);
        }
        if (!connection.longestSilence) return named(connection, form.kind);
        if (!isRead) cancel = start();
        const first = await within(connection.read(), attempt.signal);
        attempt.signal.throwIfAborted();
        return named(connection, form.kind, first);
      } catch (failure) {
        attempt.abort();
        connection?.close();
        throw failure;
      } finally {
        cancel();
      }
    }

    function isOtherForm({ code, status }: TransportError, kind: string): boolean {
      return code == "unexpected-content-type" || code == "connect-timeout" || kind == "websocket" || OTHER_FORM.includes(status!);
    }
  },
});

/** Has a connection tell its form, and hand out first what was read to prove it. */
function named(connection: Connection, kind: string, ...first: (Incoming[] | undefined)[]): Connection {
  const read = connection.read.bind(connection);
  return Object.assign(connection, { kind, read: async () => (first.length ? first.shift() : read()) });
}

/** WebSocket, then SSE, then JSON lines, then long polling. */
export const auto: Protocol = autoOf([websocket, sse, httpStream, longPoll]);

/** Makes a transport that finds its form. */
export const createTransport: CreateTransport = creatorOf(auto);
