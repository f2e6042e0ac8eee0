import { token } from "./order.js";

/** Compares what arrives with what was sent, token by token. */
export class Tally {
  received = 0;
  lost = 0;
  repeated = 0;
  damaged = 0;
  #next = 0;

  constructor(readonly count: number, first = 0) {
    this.#next = first;
  }

  add(data: string): void {
    const number = Number(/\d+/.exec(data)?.[0]);
    this.received++;
    if (data != token(number, this.count)) this.damaged++;
    if (number < this.#next) this.repeated++;
    if (number > this.#next) this.lost += number - this.#next;
    this.#next = Math.max(this.#next, number + 1);
  }

  /** To be called at the end. */
  result() {
    this.lost += this.count - this.#next;
    this.#next = this.count;
    return { lost: this.lost, repeated: this.repeated, damaged: this.damaged };
  }
}

/** As it should be. */
export const nothing = { lost: 0, repeated: 0, damaged: 0 };
