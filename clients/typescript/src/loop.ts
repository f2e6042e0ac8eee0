import { createBackoff } from "./backoff.js";
import type { Buffer } from "./buffer.js";
import type { Connection, OpenContext } from "./connection.js";
import { asFinal, passing, type TransportError, toTransportError } from "./errors.js";
import { pump } from "./pump.js";
import type { Settings } from "./settings.js";
import type { StreamEnd, TransportEvents, TransportState } from "./types.js";
import { after, childOf, sleep, within } from "./waiting.js";

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
  readonly cursor: Cursor;
  /** Whether messages were handed over on any connection. */
  hasDelivered: boolean;
  /** Set by the loop: ends a wait, or looks at the clock. For a machine that woke up, or a network that is back. */
  wake: () => void;
  /** Set by the loop: leaves the present connection. */
  drop: (reason: TransportError) => void;
  /** Opens one connection. Rejects soon after the signal aborts. */
  open(context: OpenContext): Promise<Connection>;
  /** Settles while the page is not put away, and an attempt may begin. */
  whenReady(stop: AbortSignal): Promise<void>;
  enter(state: TransportState, attempt: number, error?: TransportError): void;
  announce<Name extends keyof TransportEvents>(name: Name, detail: TransportEvents[Name]): void;
  report(error: TransportError, recoverable: boolean, attempt: number): void;
  /** The connection that stands, or none. */
  use(connection: Connection | undefined, isResume: boolean): void;
  /** A message was handed over. */
  delivered(): void;
  /** A batch was dealt with, so many bytes long. */
  changed(bytes: number): void;
}

/** Keeps one logical stream alive over many short-lived connections: open, pump, and after a loss decide, wait and open again. */
export async function runLoop(context: LoopContext, stop: AbortSignal): Promise<StreamEnd> {
  const { settings, buffer, cursor, announce, enter } = context;
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
  } catch (error) {
    if (stop.aborted) return { reason: "closed" };
    const known = toTransportError(error);
    context.report(known, false, backoff.failures);
    return { reason: known.code == "interrupted" ? "interrupted" : "failed", error: known };
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
    if (error.code == "overrun") await buffer.whenReady(stop);
  }

  async function connectAndPump(): Promise<StreamEnd> {
    await within(context.whenReady(stop), stop);
    const lifetime = childOf(stop);
    const resumedFrom = cursor.id;
    const attempt = backoff.failures;
    let connection: Connection | undefined;
    context.drop = (reason) => lifetime.abort(reason);
    try {
      announce("connecting", { attempt });
      connection = await openInTime(lifetime, attempt);
      context.use(connection, attempt > 0 && resumedFrom !== undefined);
      enter("connected", attempt);
      announce("connected", { attempt, resumedFrom });
      return await pumpAndJudge(connection, lifetime.signal, resumedFrom);
    } finally {
      lifetime.abort();
      connection?.close();
      context.use(undefined, false);
    }
  }

  async function openInTime({ signal }: AbortController, attempt: number): Promise<Connection> {
    const deadline = services.now() + connectTimeout;
    const expire = () => context.drop(passing("connect-timeout", settings.url.host));
    const cancel = after(services, connectTimeout, expire);
    context.wake = () => {
      if (services.now() >= deadline) expire();
    };
    try {
      return await context.open({ attempt, lastEventId: cursor.id, hasDelivered: context.hasDelivered, signal });
    } finally {
      cancel();
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
      return (await pump(context, connection, backoff, signal)) ?? meaningOfCleanEnd(connection);
    } catch (error) {
      stop.throwIfAborted();
      if (buffer.appended > receivedBefore || services.now() - since >= reconnect.stableAfter) backoff.clear();
      const known = toTransportError(error);
      throw known.transient && !connection.canResume() ? asFinal(known, "interrupted") : known;
    }
  }

  function meaningOfCleanEnd({ marksEnd }: Connection): StreamEnd {
    if (!marksEnd && settings.endOfStream == "complete") return { reason: "completed" };
    throw passing("ended-without-marker");
  }
}
