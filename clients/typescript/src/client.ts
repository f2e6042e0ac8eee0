import { createBackoff } from "./backoff.js";
import { createBuffer } from "./buffer.js";
import type { Connection, Protocol, Target } from "./connection.js";
import { TransportError } from "./errors.js";
import { createEvents } from "./events.js";
import { type Cursor, type LoopContext, runLoop } from "./loop.js";
import { createCounts, summarize } from "./metrics.js";
import { createSendList } from "./sends.js";
import { settle } from "./settings.js";
import type { StreamEnd, StreamMessage, Transport, TransportOptions, TransportSnapshot, TransportState } from "./types.js";
import { createBell, onAbort, within } from "./waiting.js";

/** Makes a transport. Connects nothing: the first read, send or `connect` does. Throws where an option is out of range. */
export type CreateTransport = (options: TransportOptions) => Transport;

/** Binds a form. */
export const creatorOf = (protocol: Protocol): CreateTransport => (options) => createClient(protocol, options);

/** From one start to one ending. */
interface Session {
  readonly stop: AbortController;
  /** Whether a connection was established. */
  wasConnected: boolean;
  /** How it ended. */
  end?: StreamEnd;
}

interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

let count = 0;

const oneReader = () => new TypeError('messages have one reader: a loop, or on("event")');

/** The public face of a transport: one state, one session at a time, one buffer and one cursor over all of them. */
export function createClient(protocol: Protocol, options: TransportOptions): Transport {
  const settings = settle(options);
  const { services } = settings;
  const id = `${protocol.kind}-${++count}`;
  const bell = createBell();

  let snapshot: TransportSnapshot;                  // state, attempts, error and end: written by change only
  let session: Session | undefined;
  let connection: Connection | undefined;
  let kind = protocol.kind;
  let isBeingRead = false;
  let startedAt: number | undefined;
  let settleCompletion!: (end: StreamEnd) => void;
  let completion: Promise<StreamEnd>;

  const cursor: Cursor = { id: settings.lastEventId, isExact: true, isBeforeGap: false };
  const target: Target = { url: /^(GET|HEAD)$/.test(settings.method) ? settings.url : undefined };
  const counts = createCounts();
  const buffer = createBuffer(settings, bell, (name, detail) => events.emit(name, detail as never));
  buffer.resumeAfter = cursor.id;
  const events = createEvents(buffer, () => counts.handlerErrors++);
  const sends = createSendList(settings, () => connection, () => counts.messagesSent++);

  const loop: LoopContext = {
    settings, buffer, bell, cursor, counts, enter,
    backoff: createBackoff(settings),
    protocol,
    open: protocol.create({ settings, sends, target }),
    announce: events.announce,
    report(failure, recoverable = true, attempt = 0) {
      counts.errors++;
      counts.lastError = failure;
      events.announce("error", { error: failure, code: failure.code, recoverable, attempt, state: snapshot.state, time: services.now() });
    },
    use(next) {
      counts.bytesReceived += connection?.bytes ?? 0;
      connection = next;
      counts.connectedAt = next && services.now();
      if (!next) return;
      kind = next.kind ?? kind;
      if (loop.backoff.failedTries && cursor.id !== undefined) counts.resumes++;
      session!.wasConnected = true;
      void sends.run();
    },
    delivered() {
      counts.messagesReceived++;
      counts.timeToFirstMessage ??= services.now() - startedAt!;
      if (loop.backoff.failedTries) {
        loop.backoff.failedTries = 0;
        enter("connected");
      }
      void events.dispatch();
    },
    changed: () => change(),
  };
  renewCompletion();
  enter("idle");
  onAbort(settings.signal, () => void close());

  const transport: Transport & AsyncDisposable = {
    id,
    get kind() { return kind; },
    get state() { return snapshot.state; },
    get isConnected() { return snapshot.state == "connected"; },
    get lastEventId() { return cursor.id; },
    get resumePoint() { return target.url && { url: target.url.href, lastEventId: buffer.resumeAfter }; },
    get completion() { return completion; },
    connect,
    read,
    [Symbol.asyncIterator]: read,
    send: (data, options) => send(data as Uint8Array<ArrayBuffer>, typeof data == "string" ? "text" : "binary", options),
    sendJson: (value, options) => send(JSON.stringify(value), "json", options),
    stop,
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    close,
    [Symbol.asyncDispose]: close,
    on(name, handler) {
      if (name == "event" && isBeingRead) throw oneReader();
      return events.on(name, handler as (detail: unknown) => unknown);
    },
    subscribe(listener) {
      const end = events.on("snapshot", listener);
      listener(snapshot);
      return end;
    },
    getSnapshot: () => snapshot,
    getMetrics: () => ({
      id,
      kind,
      state: snapshot.state,
      bufferSize: buffer.size(),
      dropped: buffer.dropped,
      connectionDuration: connection ? services.now() - counts.connectedAt! : 0,
      ...counts,
      bytesReceived: counts.bytesReceived + (connection?.bytes ?? 0),
      ...summarize(buffer.latencies),
    }),
  };
  return transport;

  function enter(state: TransportState, error?: TransportError, end?: StreamEnd): void {
    change({ state, error, end });
  }

  function change({ state, error, end }: Pick<TransportSnapshot, "state" | "error" | "end"> = snapshot): void {
    snapshot = Object.freeze({
      state,
      attempt: loop.backoff.failedTries,
      error,
      end,
      lastEventId: cursor.id,
      messagesReceived: counts.messagesReceived,
      bufferSize: buffer.size(),
      paused: buffer.paused,
    });
    void events.emit("snapshot", snapshot);
    bell.ring();
  }

  function setPaused(value: boolean): void {
    buffer.paused = value;
    change();
    void events.dispatch();
  }

  function renewCompletion(): void {
    completion = new Promise((resolve) => (settleCompletion = resolve));
  }

  /** The session that runs, or a new one. */
  function start(): Session {
    if (session) return session;
    if (settings.signal?.aborted) throw notConnected();
    if (snapshot.end) renewCompletion();
    session = { stop: new AbortController(), wasConnected: false };
    startedAt ??= services.now();
    loop.backoff = createBackoff(settings);
    enter("connecting");
    void runLoop(loop, session.stop.signal).then(finish);
    return session;
  }

  /** The session is over, or there never was one. */
  function finish(result: StreamEnd): void {
    const { reason, error } = result;
    if (session) session.end = result;
    session?.stop.abort();
    session = undefined;
    enter(error ? "failed" : "closed", error, result);
    sends.fail();
    if (reason == "completed" || reason == "stopped") events.announce("done", result);
    events.announce("closed", result);
    settleCompletion(result);
  }

  async function connect({ signal }: Abortable = {}): Promise<void> {
    signal?.throwIfAborted();
    const isStarter = !session;
    const own = start();
    try {
      await bell.until(() => own.wasConnected || own.end, signal);
    } catch (failure) {
      if (isStarter) own.stop.abort();
      throw failure;
    }
    if (!own.wasConnected) throw own.end!.error ?? notConnected();
  }

  async function* read({ signal }: Abortable = {}): AsyncGenerator<StreamMessage, void, void> {
    if (isBeingRead || events.consumes()) throw oneReader();
    isBeingRead = true;
    try {
      if (!snapshot.end) start();
      for (;;) {
        const message = buffer.take();
        if (message) {
          yield message;
        } else if (snapshot.end && !buffer.size()) {
          if (snapshot.error) throw snapshot.error;
          return;
        } else {
          await bell.until(() => (buffer.size() ? !buffer.paused : snapshot.end), signal);
        }
      }
    } finally {
      isBeingRead = false;
    }
  }

  async function send(data: Parameters<typeof sends.add>[0], kind: Parameters<typeof sends.add>[1], { signal }: Abortable = {}) {
    signal?.throwIfAborted();
    if (snapshot.end) throw notConnected();
    start();
    return await sends.add(data, kind, signal);
  }

  async function stop({ signal = new AbortController().signal }: Abortable = {}): Promise<void> {
    for (let isAsked = false; ; isAsked = true) {
      await bell.until(() => !session || connection, signal);
      if (!connection && isAsked) return;
      if (!connection) throw notConnected();
      try {
        return await within(connection.stop(signal), signal);
      } catch (failure) {
        // The end answers the request, or the line broke, and the next one is asked.
        if ((failure as TransportError).code != "connection-lost") throw failure;
      }
    }
  }

  async function close(): Promise<void> {
    buffer.paused = false;
    bell.ring();
    if (session) {
      session.stop.abort(notConnected());
      await completion;
    } else if (snapshot.state == "idle") {
      finish({ reason: "closed" });
    }
  }

  function notConnected(): TransportError {
    return new TransportError("not-connected", snapshot.state, { delivery: "not-sent" });
  }
}
