/** Frames that come when the test says so. */
export class ManualFrames implements Disposable {
  #waiting: (() => void)[] = [];

  constructor() {
    Object.assign(globalThis, { requestAnimationFrame: (callback: () => void) => this.#waiting.push(callback) });
  }

  /** Whether a frame was asked for. */
  get isAsked(): boolean {
    return this.#waiting.length > 0;
  }

  next(): void {
    const due = this.#waiting;
    this.#waiting = [];
    for (const callback of due) callback();
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, { requestAnimationFrame: undefined });
  }
}
