import { asFinal, type TransportError } from "./errors.js";
import type { Settings } from "./settings.js";

/** Decides after each failure whether and when to try again. */
export interface Backoff {
  /** Consecutive tries that failed without progress in between. Progress sets it to 0. */
  failedTries: number;
  /** Takes the first wait that the server names. */
  waitAsToldBy(delay: number): void;
  /** Counts a failure; returns the wait before the next attempt, or throws the error that ends the stream. */
  afterFailure(error: TransportError): number;
}

/** The shortest first wait that a server may name, unless the options allow less. */
const LEAST_DELAY = 250;

/** For so long no attempt is spent while there is no network. */
const OFFLINE_LIMIT = 600_000;

export function createBackoff({ reconnect, services, url }: Settings): Backoff {
  const { maxDelay } = reconnect;
  // In a container loopback may be all there is.
  const isLocal = /^(localhost|127\..*|\[::1\])$/.test(url.hostname);
  let { initialDelay } = reconnect;
  let offlineSince = Infinity;

  const backoff: Backoff = {
    failedTries: 0,
    waitAsToldBy(delay) {
      initialDelay = Math.max(delay, Math.min(LEAST_DELAY, reconnect.initialDelay));
    },
    afterFailure(error) {
      const { code, transient = false, retryAfter = 0 } = error;
      offlineSince = !isLocal && services.isOffline() ? Math.min(offlineSince, services.now()) : Infinity;
      const now = services.now();
      const isOffline = now >= offlineSince && now - offlineSince < OFFLINE_LIMIT;
      if (!isOffline || !backoff.failedTries) backoff.failedTries++;      // without a network no attempt tells anything of the server
      const attempt = backoff.failedTries;
      // An interruption is not for anyone to overrule: going on would repeat a side effect.
      if (code == "interrupted" || !(reconnect.shouldRetry?.({ error, attempt, transient }) ?? transient) || !reconnect.enabled) throw error;
      if (attempt > reconnect.maxAttempts) throw asFinal(error, "attempts-exhausted");
      if (retryAfter > reconnect.maxRetryAfter) throw asFinal(error, "retry-after-too-long");
      const delay = isOffline ? maxDelay : Math.min(initialDelay * reconnect.multiplier ** (attempt - 1), maxDelay);
      return Math.max(retryAfter, reconnect.jitter && !isOffline ? delay * (1 - services.random() / 2) : delay);
    },
  };
  return backoff;
}
