/** How long a stream may work within one turn of the event loop, in milliseconds: a page stays responsive. */
const LONGEST_TURN = 8;

/** The clock is looked at once in so many pieces. */
const PIECES = 32;

let channel: MessageChannel | undefined;
const due: (() => void)[] = [];

/**
 * Returns what is called between pieces of work. Chunks that have arrived are read without a turn of the event loop between them; where
 * that went on for too long, this returns the promise of the next turn.
 */
export function createPace(now: () => number): () => Promise<void> | undefined {
  let began: number | undefined;      // when the work of this turn began
  let next: Promise<void> | undefined;
  let pieces = 0;

  return () => {
    if (pieces++ % PIECES) return undefined;
    if (began === undefined) {
      began = now();
      next = new Promise((resolve) => inNextTurn(() => {
        began = undefined;
        resolve();
      }));
    }
    return now() - began >= LONGEST_TURN ? next : undefined;
  };
}

/** Timers would not do: a hidden page has one a second, or one a minute. */
function inNextTurn(run: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => void };      // of Node, and of React Native
  if (setImmediate) return setImmediate(run);
  if (typeof MessageChannel == "undefined") return void setTimeout(run);
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => due.shift()!();
  }
  due.push(run);
  channel.port2.postMessage(0);
}
