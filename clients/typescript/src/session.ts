import type { StreamEnd } from "./types.js";

/** From one start to one ending. */
export type Session = ReturnType<typeof createSession>;

export function createSession() {
  let settle!: (end: StreamEnd) => void;
  const session = {
    stop: new AbortController(),
    isRunning: false,
    /** Connections established so far. */
    connections: 0,
    /** How it ended. */
    end: undefined as StreamEnd | undefined,
    ended: new Promise<StreamEnd>((resolve) => (settle = resolve)),
    finish(end: StreamEnd): void {
      session.end = end;
      session.isRunning = false;
      session.stop.abort();
      settle(end);
    },
  };
  return session;
}
