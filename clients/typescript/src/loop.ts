import type { Backoff } from "./backoff.js";
import { crowdingAt } from "./blocked.js";
import type { Buffer } from "./buffer.js";
import type { Connection, OpenContext, Protocol } from "./connection.js";
import { asFinal, passing, type TransportError, toTransportError } from "./errors.js";
import type { Message } from "./message.js";
import { opened } from "./opening.js";
import type { Counts } from "./metrics.js";
import { createPace } from "./pace.js";
import type { Settings } from "./settings.js";
import { failureIn, memberOf, text } from "./signals.js";
import { watchHost } from "./host.js";
import { watchSilence } from "./silence.js";
import type { StreamEnd, StreamSignal, TransportEvents, TransportState } from "./types.js";
import { type Bell, childOf, sleep, within } from "./waiting.js";

/** The resume point: it belongs to the transport, outlives connections, and never moves for half an event. */
export interface Cursor {
  id: string | undefined;
  /** Whether resuming here repeats and misses nothing: false once a message without an id of its own was handed over. */
  isExact: boolean;
  /** Whether a gap was announced and the message that follows it has not come yet, perhaps on another connection. */
  isBeforeGap: boolean;
}

/** What the loop needs of the transport around it. */
export interface LoopContext {
  readonly settings: Settings;
  readonly buffer: Buffer;
  readonly bell: Bell;
  readonly cursor: Cursor;
  readonly counts: Counts;
  /** Of this session. */
  backoff: Backoff;
  readonly protocol: Protocol;
  /** Opens one connection. Rejects soon after the signal aborts. */
  open(context: OpenContext): Promise<Connection>;
  enter(state: TransportState, error?: TransportError): void;
  /** The connection proved itself. */
  progress(): void;
  announce<Name extends keyof TransportEvents>(name: Name, detail: TransportEvents[Name]): void;
  report(error: TransportError, recoverable?: boolean, attempt?: number): void;
  /** The connection that stands, or none. */
  use(connection?: Connection): void;
  /** A message was handed over. */
  delivered(): void;
  /** Something that a snapshot shows is another. */
  changed(): void;
}

/** Keeps one logical stream alive over many short-lived connections: open, read, and after a loss decide, wait and open again. */
export async function runLoop(context: LoopContext, stop: AbortSignal): Promise<StreamEnd> {
  const { settings, buffer, bell, cursor, counts, backoff, announce, report, enter } = context;
  const { services, reconnect } = settings;
  let lifetime = new AbortController();      // of the present connection
  let wake = () => {};                       // ends a wait, or looks at the clock
  const host = watchHost(services, stop, () => {
    bell.ring();
    wake();
  }, (reason) => lifetime.abort(reason));

  try {
    for (;;) {
      const end = await connectAndRead().catch(waitToReconnect);
      if (end) return end;
    }
  } catch (failure) {
    if (stop.aborted) return { reason: "closed" };
    const error = toTransportError(failure);
    report(error, false, backoff.failedTries);
    return { reason: error.code == "interrupted" ? "interrupted" : "failed", error };
  }

  async function waitToReconnect(failure: unknown): Promise<undefined> {
    stop.throwIfAborted();
    const error = toTransportError(failure);
    const delay = backoff.afterFailure(error);
    const attempt = backoff.failedTries;
    report(error, true, attempt);
    enter("reconnecting", error);
    announce("reconnecting", { attempt, delay, maxAttempts: reconnect.maxAttempts });
    counts.reconnectAttempts++;
    await sleep(services, delay, stop, (end) => {
      wake = error.retryAfter ? () => {} : end;      // a wait the server asked for is not ours to end
    });
    if (error.code == "overrun") await bell.until(buffer.isReady, stop);
  }

  async function connectAndRead(): Promise<StreamEnd> {
    await bell.until(() => !host.isAway, stop);
    await within(context.protocol.admit?.(stop), stop);
    lifetime = childOf(stop);
    const { signal } = lifetime;
    const attempt = backoff.failedTries;
    const resumedFrom = cursor.id;
    let connection: Connection | undefined;
    const silence = watchSilence(services, (limit) => lifetime.abort(connection ? passing("idle-timeout", limit) : passing("connect-timeout", settings.url.host, IN_NODE ? {} : crowdingAt(settings.url))));
    silence.allow(settings.connectTimeout);
    wake = silence.look;

    try {
      announce("connecting", { attempt });
      connection = await opened(context.open({ attempt, lastEventId: resumedFrom, hasDelivered: buffer.appended > 0, signal }), signal, services);
      silence.allow(settings.idleTimeout ?? connection.longestSilence ?? 300_000);
      connection.onActivity = heard;
      context.use(connection);
      enter("connected");
      announce("connected", { attempt, resumedFrom });
      if (!cursor.isExact && !cursor.isBeforeGap) announceGap("not-numbered", resumedFrom);
      return await read(connection);
    } catch (failure) {
      if (services.now() - counts.connectedAt! >= reconnect.stableAfter) backoff.failedTries = 0;
      const error = toTransportError(failure);
      throw error.transient && connection && !connection.canResume() ? asFinal(error, "interrupted") : error;
    } finally {
      silence.allow(Infinity);
      lifetime.abort();
      connection?.close();
      context.use();
    }

    function heard(): void {
      silence.heard();
      counts.lastActivityAt = services.now();
    }

    /** Carries messages into the buffer. Reads nothing while the buffer is full or hand-over is paused. */
    async function read(connection: Connection): Promise<StreamEnd> {
      const ready = () => bell.until(buffer.isReady, signal);
      const pace = createPace(services.now);
      for (;;) {
        silence.counts = false;
        await ready();
        signal.throwIfAborted();      // whoever closes makes room, too; and a fetch may never settle a read that begins after its signal aborted
        silence.counts = true;
        silence.heard();
        const batch = await within(connection.read(), signal);      // bounded here: a form may take its time to leave
        silence.counts = false;
        if (!batch) break;
        heard();
        for (const { message, id, retry, malformed } of batch) {
          const turn = pace();
          if (turn) await within(turn, signal);
          if (retry !== undefined) backoff.waitAsToldBy(retry);
          if (malformed) report(passing("invalid-message", malformed));
          const meaning = message && connection.classify(message);
          const next = id === undefined ? cursor.id : id || undefined;
          const place = id ? { lastEventId: next } : { lastEventId: next, exact: false };
          const isDelivered = meaning == "message" || meaning == "error" || meaning == "delivered-then-completed";
          if (isDelivered) {
            message!.followsGap = cursor.isBeforeGap;
            while (!buffer.append(message!, place)) await ready();      // the only wait: a batch is handed over at once
            cursor.isBeforeGap = false;
          } else if (id !== undefined) {
            buffer.moveTo(place);
          }
          // Only now: an id is that of the last message handed over.
          if (isDelivered || id !== undefined) cursor.isExact = !!id;
          const isNew = cursor.isExact && next != cursor.id;
          cursor.id = next;
          if (isDelivered) context.delivered();
          if (isDelivered && isNew) context.progress();      // one that cannot be resumed after may come again and again
          const end = meaning && act(meaning, message!);
          if (end) return end;
        }
        context.changed();
      }
      // An end of the connection in good order.
      if (!connection.marksEnd && settings.endOfStream == "complete") return { reason: "completed" };
      throw passing("ended-without-marker");
    }
  }

  function act(meaning: StreamSignal, message: Message): StreamEnd | undefined {
    if (meaning == "completed" || meaning == "delivered-then-completed") return { reason: "completed" };
    if (meaning == "stopped") return { reason: meaning };
    if (meaning == "failed") return { reason: meaning, error: failureIn(message, false) };
    if (meaning == "error") report(failureIn(message, true));
    if (meaning == "gap") announceGap("announced", text(memberOf(message, "requested")), text(memberOf(message, "resumesAt")));
    return undefined;
  }

  function announceGap(reason: "announced" | "not-numbered", requested: string | undefined, resumesAt?: string): void {
    cursor.isBeforeGap = true;
    counts.gaps++;
    announce("gap", { reason, requested, resumesAt });
  }
}
