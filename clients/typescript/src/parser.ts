import type { Incoming } from "./message.js";

/** Turns bytes into messages, whatever the pieces they come in. Touches no I/O. */
export interface Parser {
  /** Whether there is an id to resume after. */
  readonly hasId: boolean;
  /** Reads the next bytes and adds what they complete. Throws where something is too large; what came before it counts. */
  parse(bytes: Uint8Array, into: Incoming[]): void;
  /** The response ended in good order. */
  end(into: Incoming[]): void;
}
