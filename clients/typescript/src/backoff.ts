import { asFinal, type TransportError } from "./errors.js";
import type { Settings } from "./settings.js";

/** Decides after each failure whether and when to try again. */
export interface Backoff {
  /** Consecutive tries that failed without progress in between. Progress sets it to 0. */
  failedTries: number;
  /** The first wait: the option's, until the server names another. */
  initialDelay: number;
  /** Counts a failure; returns the wait before the next attempt, or throws the error that ends the stream. */
  afterFailure(error: TransportError): number;
}

export function createBackoff({ reconnect, services }: Pick<Settings, "reconnect" | "services">): Backoff {
  const { maxDelay } = reconnect;
  const backoff = {
    failedTries: 0,
    initialDelay: reconnect.initialDelay,
    afterFailure(error: TransportError) {
      const { code, transient = false, retryAfter = 0 } = error;
      const offline = services.isOffline();
      if (!offline || !backoff.failedTries) backoff.failedTries++;      // without a network no attempt tells anything of the server
      const attempt = backoff.failedTries;
      // An interruption is not for anyone to overrule: going on would repeat a side effect.
      if (code == "interrupted" || !(reconnect.shouldRetry?.({ error, attempt, transient }) ?? transient) || !reconnect.enabled) throw error;
      if (attempt > reconnect.maxAttempts) throw asFinal(error, "attempts-exhausted");
      if (retryAfter > reconnect.maxRetryAfter) throw asFinal(error, "retry-after-too-long");
      const delay = offline ? maxDelay : Math.min(backoff.initialDelay * reconnect.multiplier ** (attempt - 1), maxDelay);
      return Math.max(retryAfter, reconnect.jitter && !offline ? delay * (1 - services.random() / 2) : delay);
    },
  };
  return backoff;
}
