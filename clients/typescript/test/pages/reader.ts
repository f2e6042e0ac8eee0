import type { TransportKind, TransportSnapshot } from "../../src/types.js";
import { connectTo } from "../support/forms.js";
import { Tally } from "../suite/tally.js";

/** What a page has read so far, over all its lives. */
export interface Progress {
  readonly next: number;
  readonly lastEventId: string | undefined;
  readonly lost: number;
  readonly repeated: number;
  readonly damaged: number;
}

/** What the page shows. */
export interface Reading extends Progress {
  readonly snapshot: Pick<TransportSnapshot, "state" | "attempt"> & { readonly reason: string | undefined };
  /** Whether all of it was read, to the end. */
  readonly isOver: boolean;
  readonly connections: number;
  /** Whether the page was ever taken out of the back-forward cache. */
  readonly wasRestored: boolean;
}

declare global {
  interface Window {
    reading: () => Reading;
  }
}

// What to read stands in the address; how far the page was, in its session.
const query = new URLSearchParams(location.search);
const count = Number(query.get("count"));
let progress: Progress = { next: 0, lastEventId: undefined, lost: 0, repeated: 0, damaged: 0, ...(JSON.parse(sessionStorage.getItem("progress") ?? "{}") as Partial<Progress>) };
let isOver = false;
let connections = 0;
let wasRestored = false;
addEventListener("pageshow", ({ persisted }) => (wasRestored ||= persisted));

const before = progress;
const tally = new Tally(count, before.next);
const transport = connectTo(query.get("kind") as TransportKind, query.get("url")!, {
  lastEventId: before.lastEventId,
  reconnect: { maxAttempts: 1_000, initialDelay: Number(query.get("delay") ?? 0), maxDelay: 600_000, jitter: false },
  idleTimeout: 60_000,      // a machine that is busy is not to be taken for a line that is dead
});
transport.on("connected", () => connections++);
window.reading = () => {
  const { state, attempt, end } = transport.getSnapshot();
  return { ...progress, snapshot: { state, attempt, reason: end?.reason }, isOver, connections, wasRestored };
};

for await (const { data, id } of transport) {
  tally.add(data);
  save(before.next + tally.received, id);
  if (tally.received % 50 == 0) await new Promise((resolve) => setTimeout(resolve));      // so that there is a middle to be caught in
}
tally.result();
save(count, transport.lastEventId);
isOver = true;

function save(next: number, lastEventId: string | undefined): void {
  progress = { next, lastEventId, lost: before.lost + tally.lost, repeated: before.repeated + tally.repeated, damaged: before.damaged + tally.damaged };
  sessionStorage.setItem("progress", JSON.stringify(progress));
}
