import { type BreakerOptions, type BreakerState, createBreaker, hasReached } from "./breaker.js";
import { now } from "./clock.js";
import type { Protocol } from "./connection.js";
import { createTransport, type AnyTransportOptions, protocolOf } from "./index.js";
import { fill } from "./settings.js";
import type { Transport, TransportEvents, TransportMetrics, TransportState } from "./types.js";
import { LONGEST_DELAY, onAbort } from "./waiting.js";

export type { BreakerOptions, BreakerState } from "./breaker.js";

/** What a manager is told. Times are milliseconds. */
export interface ManagerOptions {
  /** Transports at most. Default 100. */
  readonly maxPoolSize?: number | undefined;
  /**
   * The time without any traffic, heartbeats included, after which a transport is closed, unless it is being read or messages wait in it.
   * Default five minutes. `Infinity`: never.
   */
  readonly maxIdleTime?: number | undefined;
  /** How often health is looked at and idle transports are swept. Default 30 000. `Infinity`: never. */
  readonly healthCheckInterval?: number | undefined;
  /** Whether sweeping happens by itself. Default true. */
  readonly autoCleanup?: boolean | undefined;
  /** When the transports to an origin that fails again and again let one of them probe for all; `false`: never. */
  readonly circuitBreaker?: BreakerOptions | false | undefined;
}

/** The health of one transport. */
export interface TransportHealth {
  readonly id: string;
  /** `degraded`: it works, or will again, but not as it should. */
  readonly status: "healthy" | "degraded" | "unhealthy";
  /** Why, in a few words. */
  readonly reason: string;
}

/** All transports at a glance. */
export interface ManagerSummary {
  readonly total: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly byState: Readonly<Partial<Record<TransportState, number>>>;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly errors: number;
  readonly reconnectAttempts: number;
  /** Share of the pool in use, in percent. */
  readonly poolUtilisation: number;
}

/** What a manager announces: each transport's events under `transport:…` with its id, and its own. */
export type ManagerEvents = { [Name in keyof TransportEvents as `transport:${Name}`]: { readonly id: string; readonly detail: TransportEvents[Name] } } & {
  "transport:created": { readonly id: string };
  "transport:removed": { readonly id: string };
  /** After each look at health. */
  "health:check": readonly TransportHealth[];
  /** A transport's health became another. */
  "health:changed": TransportHealth;
};

/** Keeps many transports: creates, finds, counts, watches and closes them. */
export interface TransportManager {
  /** Makes a transport. Throws a `RangeError` where the pool is full even after sweeping. */
  createTransport(options: AnyTransportOptions): Transport;
  getTransport(id: string): Transport | undefined;
  getAllTransports(): Transport[];
  getTransportsByKind(kind: string): Transport[];
  getTransportsByState(state: TransportState): Transport[];
  /** Closes and forgets one; whether there was one. */
  closeTransport(id: string): Promise<boolean>;
  closeAll(): Promise<void>;
  getMetrics(): TransportMetrics[];
  getSummary(): ManagerSummary;
  getHealth(): TransportHealth[];
  /** The origins whose breaker is not closed, and how it stands. */
  getBrokenOrigins(): Record<string, BreakerState>;
  /** Forgets transports that are over, and closes those that are idle. */
  sweep(): void;
  on<Name extends keyof ManagerEvents>(event: Name, handler: (detail: ManagerEvents[Name]) => void): () => void;
  /** Closes everything, for good. */
  destroy(): Promise<void>;
}

const forwarded = ["connecting", "connected", "reconnecting", "done", "error", "closed", "backpressure", "drain", "gap", "dropped"] as const;

/** Makes a manager. `event` alone is not forwarded, since it would consume the messages. */
export function createManager(options: ManagerOptions = {}): TransportManager {
  const { circuitBreaker = {} } = options;
  const { maxPoolSize, maxIdleTime, healthCheckInterval, autoCleanup } = fill(options, "", 1, { maxPoolSize: 100, maxIdleTime: 300_000, healthCheckInterval: 30_000, autoCleanup: true });
  createBreaker(circuitBreaker || {});      // refuses its options now, and not with the first origin
  const members = new Map<string, { transport: Transport; addedAt: number; status: TransportHealth["status"] }>();
  const handlers = new Map<string, Set<(detail: never) => void>>();
  const breakers = new Map<string, ReturnType<typeof createBreaker>>();
  const all = () => [...members.values()].map(({ transport }) => transport);
  const timer = healthCheckInterval < Infinity ? setInterval(check, Math.min(healthCheckInterval, LONGEST_DELAY)) : undefined;
  (timer as { unref?: () => void } | undefined)?.unref?.();

  const manager: TransportManager = {
    createTransport(options) {
      if (members.size >= maxPoolSize) sweep(true);
      if (members.size >= maxPoolSize) throw new RangeError(`${members.size} transports are open; maxPoolSize allows no more.`);
      const transport = createTransport(circuitBreaker ? { ...options, transport: guarded(protocolOf(options.transport)) } : options);
      const { id } = transport;
      members.set(id, { transport, addedAt: now(), status: "healthy" });
      for (const name of forwarded) transport.on(name, (detail) => emit(`transport:${name}`, { id, detail } as never));
      emit("transport:created", { id });
      return transport;
    },
    getTransport: (id) => members.get(id)?.transport,
    getAllTransports: all,
    getTransportsByKind: (kind) => all().filter((transport) => transport.kind == kind),
    getTransportsByState: (state) => all().filter((transport) => transport.state == state),
    async closeTransport(id) {
      const member = members.get(id);
      if (!member) return false;
      members.delete(id);
      await member.transport.close();
      emit("transport:removed", { id });
      return true;
    },
    async closeAll() {
      await Promise.all([...members.keys()].map(manager.closeTransport));
    },
    getMetrics: () => all().map((transport) => transport.getMetrics()),
    getSummary() {
      const metrics = manager.getMetrics();
      const sum = (name: "messagesReceived" | "messagesSent" | "errors" | "reconnectAttempts") => metrics.reduce((total, each) => total + each[name], 0);
      const countBy = (name: "kind" | "state") => metrics.reduce<Record<string, number>>((counts, each) => ({ ...counts, [each[name]]: (counts[each[name]] ?? 0) + 1 }), {});
      return {
        total: metrics.length,
        byKind: countBy("kind"),
        byState: countBy("state"),
        messagesReceived: sum("messagesReceived"),
        messagesSent: sum("messagesSent"),
        errors: sum("errors"),
        reconnectAttempts: sum("reconnectAttempts"),
        poolUtilisation: (metrics.length / maxPoolSize) * 100,
      };
    },
    getHealth: () => all().map(healthOf),
    getBrokenOrigins: () => Object.fromEntries([...breakers].map(([origin, { state }]) => [origin, state] as const).filter(([, state]) => state != "closed")),
    sweep: () => sweep(false),
    on(event, handler) {
      const set = handlers.get(event) ?? new Set();
      handlers.set(event, set);
      set.add(handler);
      return () => void set.delete(handler);
    },
    async destroy() {
      clearInterval(timer);
      await manager.closeAll();
    },
  };
  return manager;

  /** A form whose attempts wait for the breaker of their origin, and tell it what they found. */
  function guarded(protocol: Protocol): Protocol {
    let breaker: ReturnType<typeof createBreaker>;
    let path = "";
    let isProbe = false;
    return {
      kind: protocol.kind,
      async admit(stop) {
        await protocol.admit?.(stop);
        isProbe = await breaker.admit(stop, path);
        if (stop.aborted) breaker.record(undefined, isProbe, path);
      },
      create(context) {
        const open = protocol.create(context);
        path = context.settings.url.pathname;
        breaker = breakerOf(context.settings.url);
        return async (how) => {
          try {
            const connection = await open(how);
            breaker.record(true, isProbe, path);
            onAbort(how.signal, breaker.stands());
            return connection;
          } catch (error) {
            breaker.record(hasReached(error, how.signal), isProbe, path);
            throw error;
          }
        };
      },
    };
  }

  /** A WebSocket's origin is the one of HTTP. */
  function breakerOf(url: URL): ReturnType<typeof createBreaker> {
    const origin = url.origin.replace(/^ws/, "http");
    const known = breakers.get(origin);
    if (known) return known;
    if (breakers.size >= 1000) for (const [origin, { state }] of breakers) if (state == "closed") breakers.delete(origin);
    const breaker = createBreaker(circuitBreaker || {});
    breakers.set(origin, breaker);
    return breaker;
  }

  /**
   * One that failed may be connected again, with fresh credentials for one: it has the time of an idle one, unless room is needed. Then one
   * that is over goes with its unread messages, once it was idle.
   */
  function sweep(isRoomNeeded: boolean): void {
    const time = now();
    for (const [id, { transport, addedAt }] of members) {
      const { bufferSize, state, lastActivityAt = 0 } = transport.getMetrics();
      const isOver = state == "closed" || (isRoomNeeded && state == "failed");
      if (transport.isBeingRead || (bufferSize && !(isRoomNeeded && isOver))) continue;
      if ((isOver && !bufferSize) || time - Math.max(addedAt, lastActivityAt) >= maxIdleTime) void manager.closeTransport(id);
    }
  }

  function check(): void {
    const health = manager.getHealth();
    for (const each of health) {
      const member = members.get(each.id)!;
      if (member.status != each.status) emit("health:changed", each);
      member.status = each.status;
    }
    emit("health:check", health);
    if (autoCleanup) manager.sweep();
  }

  function emit<Name extends keyof ManagerEvents>(name: Name, detail: ManagerEvents[Name]): void {
    for (const handler of handlers.get(name) ?? []) {
      // What a handler throws or rejects with is its own.
      void (async () => handler(detail as never))().catch(console.error);
    }
  }
}

function healthOf({ id, state, getSnapshot, getMetrics }: Transport): TransportHealth {
  const { attempt, paused } = getSnapshot();
  const { lastError: error } = getMetrics();
  if (state == "failed") return { id, status: "unhealthy", reason: `failed: ${error?.code}` };
  if (attempt >= 3) return { id, status: "unhealthy", reason: `${attempt} consecutive attempts failed, the last with ${error?.code}` };
  if (attempt || state == "reconnecting") return { id, status: "degraded", reason: `reconnecting after ${error?.code}` };
  if (paused) return { id, status: "degraded", reason: "paused" };
  return { id, status: "healthy", reason: state };
}
