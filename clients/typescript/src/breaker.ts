import { passing, TransportError } from "./errors.js";
import { within } from "./waiting.js";

/** When the transports to one origin stop trying each for itself. Times are milliseconds. */
export interface BreakerOptions {
  /** Failed connects within `samplingTime` that open the breaker, where at least half of all failed. Default 5. */
  readonly failures?: number | undefined;
  /** How long a connect is remembered. Default 30 000. */
  readonly samplingTime?: number | undefined;
  /** The wait before the first probe; it doubles with each that fails. Default 5 000. */
  readonly breakTime?: number | undefined;
  /** The longest wait before a probe. Default 60 000. */
  readonly maxBreakTime?: number | undefined;
}

/** How a breaker stands: connects are made, none is made, or one is made for all. */
export type BreakerState = "closed" | "open" | "probing";

/** A probe that says nothing for so long is given up by those who wait for it. */
const PROBE_LIMIT = 60_000;

/**
 * The circuit breaker of one origin. While it is open no attempt begins; when the wait is over one transport probes, and what it finds
 * holds for all who wait: after a success they connect, after a failure theirs is one failed try.
 */
export function createBreaker({ failures = 5, samplingTime = 30_000, breakTime = 5_000, maxBreakTime = 60_000 }: BreakerOptions = {}) {
  let tries: { readonly at: number; readonly failed: boolean }[] = [];
  let until = 0;                  // the end of the wait, for the end of it or for the probe; 0: closed
  let isProbing = false;
  let wait = breakTime;
  const waiting = new Set<(failure?: TransportError) => void>();

  return {
    get state(): BreakerState { return isProbing ? "probing" : until ? "open" : "closed"; },

    /** Waits until a connect is allowed; whether it is the probe. */
    async admit(stop: AbortSignal): Promise<boolean> {
      while (until) {
        const left = until - Date.now();
        if (left <= 0) {
          isProbing = true;
          until = Date.now() + PROBE_LIMIT;
          return true;
        }
        let end!: (failure?: TransportError) => void;
        const told = new Promise<void>((resolve, reject) => (end = (failure) => (failure ? reject(failure) : resolve())));
        const timer = setTimeout(() => end(), left);
        waiting.add(end);
        await within(told, stop).finally(() => {
          clearTimeout(timer);
          waiting.delete(end);
        });
      }
      return false;
    },

    /** What became of a connect: `undefined`, it was given up and says nothing; an error, or `true`. */
    record(result: TransportError | true | undefined, isProbe: boolean): void {
      const now = Date.now();
      if (!until) {
        if (result) tries = [...tries.filter(({ at }) => now - at < samplingTime), { at: now, failed: result != true }];
        const failed = tries.filter((each) => each.failed).length;
        if (failed >= failures && failed * 2 >= tries.length) until = now + wait;
      } else if (result == true) {
        until = 0;
        wait = breakTime;
        tries = [];
        tell();
      } else if (isProbe) {
        if (result) wait = Math.min(wait * 2, maxBreakTime);
        until = result ? now + wait : now;
        tell(result);
      }
    },
  };

  function tell(cause?: TransportError): void {
    isProbing = false;
    for (const end of waiting) end(cause && passing("circuit-open", undefined, { cause, delivery: "not-sent" }));
  }
}

/**
 * What counts against the origin: that it cannot be reached in time, or says that it cannot serve. A final answer says that the origin is
 * well, and an attempt that was given up says nothing.
 */
export function verdictOf(error: unknown, signal: AbortSignal): TransportError | true | undefined {
  if (!(error instanceof TransportError) || (signal.aborted && error.code != "connect-timeout")) return undefined;
  return error.transient ? error : true;
}
