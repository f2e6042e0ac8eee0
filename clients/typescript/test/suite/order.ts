/** A run to be made by the test server; see its `RunOrder`. */
export interface RunOrder {
  readonly count: number;
  readonly holdAfter?: number;
  readonly end?: "completed" | "failed" | "open";
}

/** A line to it; see its `LineOrder`. */
export interface LineOrder {
  readonly seed: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxPieceBytes?: number;
  readonly stalled?: number;
}

interface LineState {
  readonly id: number;
  readonly address: string;
  readonly cuts: number;
  readonly connections: number;
}

/** The text of a token of such a run. */
export const token = (number: number, count: number): string => `token ${number}\nof "${count}" ü🌱`;

/** What a test orders from the test server, in Node and in a page alike. */
export class TestOrders {
  constructor(readonly server: string) {}

  /** A run, by its id. */
  run = (order: RunOrder) => this.#post<string>("runs", order);

  /** Lets a run that holds go on. */
  release = (run: string) => this.#post(`runs/${run}/release`);

  /** How often a run was asked for, and what was sent to it. */
  state = async (run: string) => (await (await fetch(`${this.server}runs/${run}`)).json()) as { readers: number; received: string[] };

  /** How often runs were started under a name. */
  starts = async (name: string) => Number(await (await fetch(`${this.server}starts/${name}`)).text());

  /** A line that breaks as ordered, or when it is told to. */
  async line(order: LineOrder = { seed: 0, minBytes: 0, maxBytes: 0 }) {
    const { id, address } = await this.#post<LineState>("lines", order);
    return {
      to: (run: string) => `${address}streams/${run}`,
      address,
      act: (action: "cut" | "stall" | "resume" | "refuse" | "accept") => this.#post(`lines/${id}/${action}`),
      state: async () => (await (await fetch(`${this.server}lines/${id}`)).json()) as LineState,
    };
  }

  async #post<T = unknown>(path: string, body: object = {}): Promise<T> {
    const response = await fetch(this.server + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    const text = await response.text();
    return (/^[{[]/.test(text) ? JSON.parse(text) : text) as T;
  }
}
