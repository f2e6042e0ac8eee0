let count = 0;      // of all: a late cancel never meets the frame of another

/** Frames that come when the test says so. */
export class ManualFrames implements Disposable {
  #waiting = new Map<number, () => void>();

  constructor() {
    Object.assign(globalThis, {
      requestAnimationFrame: (callback: () => void) => (this.#waiting.set(++count, callback), count),
      cancelAnimationFrame: (frame: number) => this.#waiting.delete(frame),
    });
  }

  /** Whether a frame was asked for. */
  get isAsked(): boolean {
    return this.#waiting.size > 0;
  }

  next(): void {
    const due = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const callback of due) callback();
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, { requestAnimationFrame: undefined, cancelAnimationFrame: undefined });
  }
}
