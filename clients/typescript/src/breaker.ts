import { now } from "./clock.js";
import { TransportError } from "./errors.js";
import { fill } from "./settings.js";
import { within } from "./waiting.js";

/**
 * When the transports to one origin stop trying each for itself. What counts is whether the host can be reached: an answer, of whatever
 * status, says that it can, and while a connection stands the breaker stays closed. Times are milliseconds.
 */
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
 * The circuit breaker of one origin. While it is open no attempt begins; when the wait is over one transport probes. After a success all
 * that wait connect; after a failure they wait on, and have spent nothing. A path that hangs does not hold up the others: in each break and
 * beside each probe one transport of another path may connect.
 */
export function createBreaker(options: BreakerOptions = {}) {
  const { failures, samplingTime, breakTime, maxBreakTime } = fill(options, "circuitBreaker.", 1, { failures: 5, samplingTime: 30_000, breakTime: 5_000, maxBreakTime: 60_000 });
  let tries: { readonly at: number; readonly failed: boolean }[] = [];
  let until = 0;                  // the end of the wait, for the end of it or for the probe; 0: closed
  let isProbing = false;
  let wait = breakTime;
  let standing = 0;               // connections
  let suspect = "";               // the path of the attempt that opened it, or of the probe
  let hasPass = false;            // one transport of another path may connect
  const waiting = new Set<() => void>();

  return {
    get state(): BreakerState { return isProbing ? "probing" : until ? "open" : "closed"; },

    /** Waits until a connect to this path is allowed; whether it is the probe. */
    async admit(stop: AbortSignal, path = ""): Promise<boolean> {
      while (until) {
        const left = until - now();
        if (left <= 0) {
          isProbing = true;
          until = now() + PROBE_LIMIT;
          givePass(path);
          return true;
        }
        if (hasPass && path != suspect) return (hasPass = false);
        let end!: () => void;
        const told = new Promise<void>((resolve) => (end = resolve));
        const timer = setTimeout(end, left);
        waiting.add(end);
        await within(told, stop).finally(() => {
          clearTimeout(timer);
          waiting.delete(end);
        });
      }
      return false;
    },

    /** A connection stands; returns what says that it is gone. */
    stands(): () => void {
      standing++;
      return () => void standing--;
    },

    /** Whether a connect reached the host; `undefined`: it was given up and does not say. */
    record(result: boolean | undefined, isProbe: boolean, path = ""): void {
      const time = now();
      if (!until) {
        if (result !== undefined) tries = [...tries.filter(({ at }) => time - at < samplingTime), { at: time, failed: !result }];
        const failed = tries.filter((each) => each.failed).length;
        if (!standing && failed >= failures && failed * 2 >= tries.length) {
          until = time + wait;
          givePass(path);
        }
      } else if (result) {
        until = 0;
        wait = breakTime;
        tries = [];
        isProbing = false;
        tell();
      } else if (isProbe) {
        if (result === false) wait = Math.min(wait * 2, maxBreakTime);
        until = result === false ? time + wait : time;
        isProbing = false;
        givePass(path);
      }
    },
  };

  function givePass(path: string): void {
    suspect = path;
    hasPass = true;
    tell();
  }

  /** Lets those that wait look again. */
  function tell(): void {
    for (const end of waiting) end();
  }
}

/** Whether a failed attempt reached the host: any answer came from there. One that was given up does not say. */
export function hasReached(error: unknown, signal: AbortSignal): boolean | undefined {
  if (!(error instanceof TransportError) || (signal.aborted && error.code != "connect-timeout")) return undefined;
  return error.status !== undefined || !error.transient;
}
