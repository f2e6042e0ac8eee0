import { createBackoff } from "./backoff.js";
import type { Buffer } from "./buffer.js";
import type { Connection, OpenContext } from "./connection.js";
import type { Detail } from "./events.js";
import { asFinal, passing, type TransportError, toTransportError } from "./errors.js";
import { pump } from "./pump.js";
import type { Settings } from "./settings.js";
import { watchSilence } from "./silence.js";
import type { StreamEnd, TransportEvents, TransportState } from "./types.js";
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
  /** Set by the loop: ends a wait, or looks at the clock. For a machine that woke up, or a network that is back. */
  wake: () => void;
  /** Set by the loop: leaves the present connection. */
  drop: (reason: TransportError) => void;
  /** Opens one connection. Rejects soon after the signal aborts. */
  open(context: OpenContext): Promise<Connection>;
  /** Whether the page is not put away. */
  isShown(): boolean;
  /** Settles when an attempt may begin. */
  admit(stop: AbortSignal): Promise<void> | undefined;
  enter(state: TransportState, attempt: number, error?: TransportError): void;
  announce<Name extends keyof TransportEvents>(name: Name, detail: Detail<Name>): void;
  report(error: TransportError, recoverable?: boolean, attempt?: number): void;
  /** The connection that stands, or none. */
  use(connection?: Connection): void;
  /** A message was handed over. */
  delivered(): void;
  /** A batch was dealt with, so many bytes long. */
  changed(bytes: number): void;
}

/** Keeps one logical stream alive over many short-lived connections: open, pump, and after a loss decide, wait and open again. */
export async function runLoop(context: LoopContext, stop: AbortSignal): Promise<StreamEnd> {
  const { settings, buffer, bell, cursor, announce, enter } = context;
  const { services, reconnect, connectTimeout } = settings;
  const backoff = createBackoff(settings);

  try {
    for (;;) {
      try {
        return await connectAndPump();
      } catch (error) {
        stop.throwIfAborted();
        await waitToReconnect(toTransportError(error));
      }
    }
  } catch (failure) {
    if (stop.aborted) return { reason: "closed" };
    const error = toTransportError(failure);
    context.report(error, false, backoff.failures);
    return { reason: error.code == "interrupted" ? "interrupted" : "failed", error };
  } finally {
    context.wake = context.drop = () => {};
  }

  async function waitToReconnect(error: TransportError): Promise<void> {
    const delay = backoff.afterFailure(error);
    const attempt = backoff.failures;
    context.report(error, true, attempt);
    enter("reconnecting", attempt, error);
    announce("reconnecting", { attempt, delay, maxAttempts: reconnect.maxAttempts });
    await sleep(services, delay, stop, (wake) => {
      context.wake = error.retryAfter ? () => {} : wake;      // a wait the server asked for is not ours to end
    });
    if (error.code == "overrun") await bell.until(buffer.isReady, stop);
  }

  async function connectAndPump(): Promise<StreamEnd> {
    await bell.until(context.isShown, stop);
    await within(context.admit(stop), stop);
    const lifetime = childOf(stop);
    const { signal } = lifetime;
    const resumedFrom = cursor.id;
    const attempt = backoff.failures;
    let connection: Connection | undefined;
    context.drop = (reason) => lifetime.abort(reason);
    try {
      announce("connecting", { attempt });
      const opening = watchSilence(services, connectTimeout, () => context.drop(passing("connect-timeout", settings.url.host)));
      context.wake = opening.look;
      try {
        connection = await context.open({ attempt, lastEventId: resumedFrom, hasDelivered: buffer.appended > 0, signal });
      } finally {
        opening.end();
      }
      context.use(connection);
      enter("connected", attempt);
      announce("connected", { attempt, resumedFrom });
      return await pumpAndJudge(connection, signal, resumedFrom);
    } finally {
      lifetime.abort();
      connection?.close();
      context.use();
    }
  }

  async function pumpAndJudge(connection: Connection, signal: AbortSignal, resumedFrom: string | undefined): Promise<StreamEnd> {
    const since = services.now();
    const receivedBefore = buffer.appended;
    if (!cursor.isExact && !cursor.isBeforeGap) {
      cursor.isBeforeGap = true;
      announce("gap", { reason: "not-numbered", requested: resumedFrom, resumesAt: undefined });
    }
    try {
      const end = await pump(context, connection, backoff, signal);
      if (end) return end;
      // An end of the connection in good order.
      if (!connection.marksEnd && settings.endOfStream == "complete") return { reason: "completed" };
      throw passing("ended-without-marker");
    } catch (failure) {
      stop.throwIfAborted();
      if (buffer.appended > receivedBefore || services.now() - since >= reconnect.stableAfter) backoff.failures = 0;
      const error = toTransportError(failure);
      throw error.transient && !connection.canResume() ? asFinal(error, "interrupted") : error;
    }
  }
}
