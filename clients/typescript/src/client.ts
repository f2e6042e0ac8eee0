import { createBuffer } from "./buffer.js";
import type { Connection, Protocol } from "./connection.js";
import { TransportError } from "./errors.js";
import { createEvents } from "./events.js";
import { watchHost } from "./host.js";
import { createHttp } from "./http.js";
import { type Cursor, type LoopContext, runLoop } from "./loop.js";
import { createMetrics } from "./metrics.js";
import { createSendList, drawKey, type OutgoingSend } from "./sends.js";
import { settle } from "./settings.js";
import type { StreamEnd, StreamMessage, Transport, TransportOptions, TransportSnapshot, TransportState } from "./types.js";
import { onAbort, within } from "./waiting.js";

/** Makes a transport. Connects nothing: the first read, send or `connect` does. Throws where an option is out of range. */
export type CreateTransport = (options: TransportOptions) => Transport;

/** Binds a form. */
export const creatorOf = (protocol: Protocol): CreateTransport => (options) => createClient(protocol, options);

/** From one start to one ending. */
interface Session {
  readonly stop: AbortController;
  readonly connected: Promise<void>;
  readonly setConnected: (failure?: TransportError) => void;
  readonly ended: Promise<StreamEnd>;
}

let count = 0;

const ONE_READER = "The messages have one reader: one loop, or on(\"event\").";

/** The public face of a transport: one state, one session at a time, one buffer and one cursor over all of them. */
export function createClient(protocol: Protocol, options: TransportOptions): Transport {
  const settings = settle(options);
  const { services } = settings;
  const id = `${protocol.kind}-${++count}`;

  let state: TransportState = "idle";               // written by enter only
  let attempt = 0;
  let error: TransportError | undefined;            // behind the present reconnecting or failing
  let session: Session | undefined;
  let end: StreamEnd | undefined;
  let connection: Connection | undefined;
  let kind = protocol.kind;
  let onConnection: (() => void)[] = [];
  let isBeingRead = false;
  let snapshot: TransportSnapshot;
  let settleCompletion!: (end: StreamEnd) => void;
  let completion: Promise<StreamEnd>;
  const listeners = new Set<(snapshot: TransportSnapshot) => void>();

  const cursor: Cursor = { id: settings.lastEventId, isExact: true, isBeforeGap: false };
  const metrics = createMetrics(services);
  const { counts } = metrics;
  const buffer = createBuffer(settings, (name, detail) => events.emit(name, detail));
  const events = createEvents(buffer, () => counts.handlerErrors++);
  const sends = createSendList(settings, () => connection, () => counts.messagesSent++);
  const http = createHttp(settings);

  const loop: LoopContext = {
    settings, buffer, cursor, enter,
    hasDelivered: false,
    wake() {},
    drop() {},
    async whenReady(stop) {
      await host.whenShown();
      await protocol.admit?.(stop);
    },
    open: protocol.create({ settings, http, sends }),
    announce(name, detail) {
      if (name == "gap") counts.gaps++;
      if (name == "reconnecting") counts.reconnectAttempts++;
      events.announce(name, detail);
    },
    report(failure, recoverable, attempt) {
      counts.errors++;
      counts.lastError = failure;
      events.announce("error", { error: failure, code: failure.code, recoverable, state, attempt, time: services.now() });
    },
    use(next, isResume) {
      connection = next;
      counts.connectedAt = next && services.now();
      if (!next) return;
      kind = next.kind ?? protocol.kind;
      if (isResume) counts.resumes++;
      session?.setConnected();
      for (const resolve of onConnection.splice(0)) resolve();
      void sends.run();
    },
    delivered() {
      loop.hasDelivered = true;
      metrics.delivered();
      if (attempt) enter(state, 0);
      events.dispatch();
    },
    changed(bytes) {
      counts.bytesReceived += bytes;
      change();
    },
  };
  const host = watchHost(services, () => loop.wake(), (reason) => loop.drop(reason));

  renewCompletion();
  change();
  onAbort(settings.signal, () => void close());

  const transport: Transport & AsyncDisposable = {
    id,
    get kind() { return kind; },
    get state() { return state; },
    get isConnected() { return state == "connected"; },
    get lastEventId() { return cursor.id; },
    get completion() { return completion; },
    connect,
    read,
    [Symbol.asyncIterator]: () => read(),
    send: (data, options) => send({ data: data as Uint8Array<ArrayBuffer>, kind: typeof data == "string" ? "text" : "binary" }, options?.signal),
    sendJson: (value, options) => send({ data: JSON.stringify(value), kind: "json" }, options?.signal),
    stop,
    pause() {
      buffer.pause();
      change();
    },
    resume() {
      buffer.resume();
      change();
      events.dispatch();
    },
    close,
    [Symbol.asyncDispose]: close,
    on(name, handler) {
      if (name == "event" && isBeingRead) throw new TypeError(ONE_READER);
      return events.on(name, handler);
    },
    subscribe(listener) {
      const own = (value: TransportSnapshot) => listener(value);
      listeners.add(own);
      listener(snapshot);
      return () => void listeners.delete(own);
    },
    getSnapshot: () => snapshot,
    getMetrics: () => metrics.snapshot({ id, kind, state, bufferSize: buffer.size, dropped: buffer.dropped }, buffer.latencies),
  };
  return transport;

  function enter(next: TransportState, tries: number, cause?: TransportError): void {
    state = next;
    attempt = tries;
    error = cause;
    change();
  }

  function change(): void {
    snapshot = Object.freeze({
      state, attempt, error, end,
      lastEventId: cursor.id,
      messagesReceived: counts.messagesReceived,
      bufferSize: buffer.size,
      paused: buffer.paused,
    });
    for (const listener of listeners) events.call(listener, snapshot);
  }

  function renewCompletion(): void {
    completion = new Promise((resolve) => (settleCompletion = resolve));
  }

  /** The session that runs, or a new one. */
  function start(): Session {
    if (session) return session;
    if (settings.signal?.aborted) throw notConnected();
    if (end) renewCompletion();
    end = undefined;
    buffer.setEnd(undefined);
    const stop = new AbortController();
    let setConnected!: Session["setConnected"];
    const connected = new Promise<void>((resolve, reject) => (setConnected = (failure) => (failure ? reject(failure) : resolve())));
    connected.catch(() => {});
    session = { stop, connected, setConnected, ended: completion };
    metrics.started();
    enter("connecting", 0);
    host.begin();
    void runLoop(loop, stop.signal).then(finish);
    return session;
  }

  function finish(result: StreamEnd): void {
    const { setConnected } = session!;
    session = undefined;
    end = result;
    host.end();
    buffer.setEnd(result);
    enter(result.error ? "failed" : "closed", attempt, result.error);
    setConnected(result.error ?? notConnected());
    sends.fail();
    for (const resolve of onConnection.splice(0)) resolve();
    if (result.reason == "completed" || result.reason == "stopped") events.announce("done", result);
    events.announce("closed", result);
    settleCompletion(result);
  }

  async function connect({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    signal?.throwIfAborted();
    const isStarter = !session;
    const { connected, stop } = start();
    try {
      await within(connected, signal);
    } catch (failure) {
      if (isStarter && signal?.aborted) stop.abort();
      throw failure;
    }
  }

  async function* read({ signal }: { readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<StreamMessage, void, void> {
    if (isBeingRead || events.consumes()) throw new TypeError(ONE_READER);
    isBeingRead = true;
    try {
      if (!end) start();
      for (;;) {
        const message = buffer.take();
        if (message) {
          yield message;
        } else if (buffer.end) {
          if (buffer.end.error) throw buffer.end.error;
          return;
        } else {
          await buffer.whenReadable(signal);
        }
      }
    } finally {
      isBeingRead = false;
    }
  }

  async function send(message: Omit<OutgoingSend, "key">, signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    if (end) throw notConnected();
    start();
    return await sends.add({ ...message, key: drawKey() }, signal);
  }

  async function stop({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const limit = new AbortController();
    onAbort(signal, () => limit.abort(signal!.reason), limit.signal);
    for (let isAsked = false; ; isAsked = true) {
      while (session && !connection) await within(new Promise<void>((resolve) => onConnection.push(resolve)), signal);
      if (!connection && isAsked) return;
      if (!connection) throw notConnected();
      try {
        return await within(connection.stop(limit.signal), limit.signal);
      } catch (failure) {
        // The end answers the request, or the line broke, and the next one is asked.
        if ((failure as TransportError).code != "connection-lost") throw failure;
      }
    }
  }

  async function close(): Promise<void> {
    buffer.resume();
    if (!session) {
      if (state != "idle") return;
      end = { reason: "closed" };
      buffer.setEnd(end);
      enter("closed", 0);
      events.announce("closed", end);
      settleCompletion(end);
      return;
    }
    session.stop.abort(notConnected());
    await session?.ended;
  }

  function notConnected(): TransportError {
    return new TransportError("not-connected", state, { delivery: "not-sent" });
  }
}
