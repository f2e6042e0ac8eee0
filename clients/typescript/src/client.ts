import { createBackoff } from "./backoff.js";
import { createBuffer } from "./buffer.js";
import type { Connection, Protocol, Target } from "./connection.js";
import { passing, TransportError } from "./errors.js";
import { createEvents } from "./events.js";
import { createLog } from "./log.js";
import { type Cursor, type LoopContext, runLoop } from "./loop.js";
import { createCounts, summarize } from "./metrics.js";
import type { OutgoingSend } from "./outgoing.js";
import { createSendList } from "./sends.js";
import { createSession, type Session } from "./session.js";
import { settle } from "./settings.js";
import type { StreamEnd, StreamMessage, Transport, TransportEvents, TransportOptions, TransportSnapshot, TransportState } from "./types.js";
import { childOf, createBell, limitOf, onAbort, within } from "./waiting.js";

/** Makes a transport. Connects nothing: the first read, send or `connect` does. Throws where an option is out of range. */
export type CreateTransport = (options: TransportOptions) => Transport;

/** Binds a form. */
export const creatorOf = (protocol: Protocol): CreateTransport => (options) => createClient(protocol, options);

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
  let session = createSession();                    // the one that runs, or ended last, or comes first
  let connection: Connection | undefined;
  let kind = protocol.kind;
  let isBeingRead = false;
  let startedAt: number | undefined;
  let stopListening = () => {};

  const cursor: Cursor = { id: settings.start.lastEventId, isExact: settings.start.exact ?? true, isBeforeGap: false };
  const target: Target = { url: /^(GET|HEAD)$/.test(settings.method) ? settings.url : undefined };
  const counts = createCounts();
  const log = createLog(settings.logger, id, handlerFailed);
  const buffer = createBuffer(settings, bell, settings.start, (name, detail) => {
    log(name, detail);
    void events.emit(name, detail as never);
  });
  const events = createEvents(buffer, handlerFailed);
  const sends = createSendList(settings, () => connection, (outcome) => {
    counts.messagesSent++;
    counts.lastActivityAt = services.now();
    if (outcome == "acknowledged") progress();
  });

  const loop: LoopContext = {
    settings, buffer, bell, cursor, counts, enter, announce, progress,
    backoff: createBackoff(settings),
    protocol,
    open: protocol.create({ settings, sends, target }),
    report(failure, recoverable = true, attempt = 0) {
      counts.errors++;
      counts.lastError = failure;
      announce("error", { error: failure, code: failure.code, recoverable, attempt, state: snapshot.state, time: services.now() });
    },
    use(next) {
      counts.bytesReceived += connection?.bytes ?? 0;
      connection = next;
      counts.connectedAt = next && services.now();
      if (!next) return;
      kind = next.kind ?? kind;
      if (loop.backoff.failedTries && cursor.id !== undefined) counts.resumes++;
      session.connections++;
      void sends.run();
    },
    delivered() {
      counts.messagesReceived++;
      counts.timeToFirstMessage ??= services.now() - startedAt!;
      void events.callHandlers();
    },
    changed: () => change(),
  };
  enter("idle");
  listen();

  const transport: Transport = {
    id,
    get kind() { return kind; },
    get state() { return snapshot.state; },
    get isConnected() { return snapshot.state == "connected"; },
    get isBeingRead() { return isBeingRead || events.consumes(); },
    get lastEventId() { return cursor.id; },
    get resumePoint() { return target.url && { url: target.url.href, ...buffer.place }; },
    get completion() { return session.ended; },
    connect,
    read,
    [Symbol.asyncIterator]: read,
    send: async (data, options) => send(data, typeof data == "string" ? "text" : "binary", options),
    sendJson: async (value, options) => send(asJson(value), "json", options),
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
      const end = events.on("snapshot", () => listener(snapshot));
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

  function announce<Name extends keyof TransportEvents>(name: Name, detail: TransportEvents[Name]): void {
    log(name, detail);
    events.announce(name, detail as never);
  }

  function handlerFailed(error: unknown): void {
    counts.handlerErrors++;
    if (!settings.logger) console.error(error);
  }

  function enter(state: TransportState, error?: TransportError, end?: StreamEnd): void {
    change({ state, error, end });
  }

  function change(next?: Pick<TransportSnapshot, "state" | "error" | "end">): void {
    show(next);
    void events.emit("snapshot", snapshot);
    bell.ring();
  }

  function show({ state, error, end }: Pick<TransportSnapshot, "state" | "error" | "end"> = snapshot): void {
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
  }

  /** The connection proved itself: earlier failures no longer count. */
  function progress(): void {
    if (!loop.backoff.failedTries) return;
    loop.backoff.failedTries = 0;
    if (connection) enter("connected");
    else change();
  }

  function setPaused(value: boolean): void {
    buffer.paused = value;
    change();
    void events.callHandlers();
  }

  function listen(): void {
    stopListening();
    stopListening = onAbort(settings.signal, () => void close());
  }

  /** The session that runs, or a new one. */
  function start(): Session {
    if (session.isRunning) return session;
    if (settings.signal?.aborted) throw notConnected();
    if (session.end) {
      session = createSession();
      listen();
    }
    const own = session;
    own.isRunning = true;
    startedAt ??= services.now();
    loop.backoff = createBackoff(settings);
    enter("connecting");
    void runLoop(loop, own.stop.signal).then((end) => finish(own, end));
    return own;
  }

  /** A session is over, or the first never began. All of it ends before anybody is told, since a handler may begin the next one. */
  function finish(own: Session, result: StreamEnd): void {
    const { reason, error } = result;
    own.finish(result);
    stopListening();
    sends.fail();
    show({ state: error ? "failed" : "closed", error, end: result });
    if (reason == "completed" || reason == "stopped") announce("done", result);
    announce("closed", result);
    change();
  }

  async function connect({ signal }: Abortable = {}): Promise<void> {
    signal?.throwIfAborted();
    const isStarter = !session.isRunning;
    const own = start();
    const { connections } = own;
    try {
      await bell.until(() => connection || own.connections > connections || own.end, signal);
    } catch (failure) {
      if (isStarter) own.stop.abort();
      throw failure;
    }
    if (own.end && own.connections == connections) throw own.end.error ?? notConnected();
  }

  function read({ signal }: Abortable = {}): AsyncGenerator<StreamMessage, void, void> {
    const reading = childOf(signal);
    const messages = generate(reading, signal);
    const leave = messages.return;
    // Those of a generator would wait until there is a message.
    messages.return = () => {
      reading.abort();
      return leave.call(messages, undefined);
    };
    return messages;
  }

  async function* generate(reading: AbortController, signal: AbortSignal | undefined): AsyncGenerator<StreamMessage, void, void> {
    if (transport.isBeingRead) {
      reading.abort();
      throw oneReader();
    }
    isBeingRead = true;
    try {
      const own = session.end ? session : start();
      for (;;) {
        const message = buffer.take();
        if (message) {
          yield message;
        } else if (own.end && !buffer.size()) {
          if (own.end.error) throw own.end.error;
          return;
        } else {
          await bell.until(() => (buffer.size() ? !buffer.paused : own.end), reading.signal);
        }
      }
    } catch (failure) {
      if (!reading.signal.aborted || signal?.aborted) throw failure;
      void close();      // who gives up in the middle of a wait has no use for what would come
    } finally {
      isBeingRead = false;
      reading.abort();
    }
  }

  async function send(data: unknown, kind: OutgoingSend["kind"], { signal }: Abortable = {}) {
    const type = Object.prototype.toString.call(data).slice(8, -1);
    if (!/^(String|Uint8Array)$/.test(type)) throw new TypeError(`send takes a string or a Uint8Array, not ${type}. For other values there is sendJson.`);
    signal?.throwIfAborted();
    if (session.end) throw notConnected();
    start();
    return await sends.add(data as OutgoingSend["data"], kind, signal);
  }

  async function stop({ signal }: Abortable = {}): Promise<void> {
    const own = session;
    const limit = limitOf(signal, services, settings.connectTimeout, () => passing("connect-timeout", "no answer to the request to stop"));
    onAbort(limit.signal, onAbort(own.stop.signal, () => limit.abort(notConnected())));
    let isAsked = false;
    try {
      for (;;) {
        await bell.until(() => !own.isRunning || connection, limit.signal);
        if (!connection) throw notConnected();
        isAsked = true;
        try {
          return await within(connection.stop(limit.signal), limit.signal);
        } catch (failure) {
          // The line broke, and the next one is asked.
          if ((failure as TransportError).code != "connection-lost") throw failure;
        }
      }
    } catch (failure) {
      if (!isAsked || !own.end || own.end.reason == "closed") throw failure;      // else the end is the answer
    } finally {
      limit.abort();
    }
  }

  async function close(): Promise<void> {
    const own = session;
    buffer.paused = false;
    bell.ring();
    if (own.isRunning) {
      own.stop.abort(notConnected());
      await own.ended;
    } else if (!own.end) {
      finish(own, { reason: "closed" });
    }
  }

  function notConnected(): TransportError {
    return new TransportError("not-connected", snapshot.state, { delivery: "not-sent" });
  }
}

function asJson(value: unknown): string {
  const json = JSON.stringify(value) as string | undefined;      // throws for cycles and bigints
  if (json === undefined) throw new TypeError(`sendJson takes a value of JSON, not ${typeof value}.`);
  return json;
}
