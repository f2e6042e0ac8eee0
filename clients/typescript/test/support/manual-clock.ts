import type { TransportServices } from "../../src/types.js";

/** A clock that stands still until it is told to go on. */
export class ManualClock {
  time = 1_000_000;
  random = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  readonly services: Pick<TransportServices, "now" | "setTimeout" | "clearTimeout" | "random"> = {
    now: () => this.time,
    setTimeout: (callback, milliseconds) => {
      const timer = { at: this.time + milliseconds, callback };
      this.#timers.push(timer);
      return timer;
    },
    clearTimeout: (timer) => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    },
    random: () => this.random,
  };

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Goes on, firing what falls due in its order. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      await settled();
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.time = Math.max(this.time, next.at);
      this.#timers = this.#timers.filter((each) => each !== next);
      next.callback();
    }
    this.time = end;
    await settled();
  }

  /** Time passes, and no timer fires: the machine slept. */
  sleep(milliseconds: number): void {
    this.time += milliseconds;
  }
}

/** Whatever can happen without time or network has happened. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 10; round++) await new Promise((resolve) => setImmediate(resolve));
}
