import { asFinal, type TransportError } from "./errors.js";
import type { Settings } from "./settings.js";

/** Decides after each failure whether and when to try again. */
export interface Backoff {
  /** Consecutive tries that failed without progress in between. */
  readonly failures: number;
  /** Takes a delay from the server in place of `initialDelay`. */
  useServerDelay(milliseconds: number): void;
  /** Forgets earlier failures. */
  clear(): void;
  /** Counts a failure; returns the wait before the next attempt, or throws the error that ends the stream. */
  afterFailure(error: TransportError): number;
}

export function createBackoff({ reconnect, services }: Pick<Settings, "reconnect" | "services">): Backoff {
  let { initialDelay } = reconnect;
  let failures = 0;

  return {
    get failures() {
      return failures;
    },
    useServerDelay(milliseconds) {
      initialDelay = milliseconds;
    },
    clear() {
      failures = 0;
    },
    afterFailure(error) {
      const offline = services.isOffline();
      if (!offline || failures == 0) failures++;      // without a network no attempt tells anything of the server
      // An interruption is not for anyone to overrule: going on would repeat a side effect.
      const transient = !!error.transient;
      const isWorthIt = error.code != "interrupted" && (reconnect.shouldRetry?.({ error, attempt: failures, transient }) ?? transient);
      if (!isWorthIt || !reconnect.enabled) throw error;
      if (failures > reconnect.maxAttempts) throw asFinal(error, "attempts-exhausted");
      const floor = error.retryAfter ?? 0;
      if (floor > reconnect.maxRetryAfter) throw asFinal(error, "retry-after-too-long");
      return Math.max(floor, offline ? reconnect.maxDelay : delayFor(failures));
    },
  };

  function delayFor(attempt: number): number {
    const delay = Math.min(initialDelay * reconnect.multiplier ** (attempt - 1), reconnect.maxDelay);
    return reconnect.jitter ? delay * (1 - services.random() / 2) : delay;
  }
}
