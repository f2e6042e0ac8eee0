import type { StreamMessage } from "./types.js";

/** A message, until it is handed over. */
export interface Message extends StreamMessage {
  followsGap: boolean;
}

/** Makes a message; `value` is the payload as JSON, where that is known. */
export const createMessage = (data: string, id?: string, type = "message", binary?: Uint8Array, value?: unknown): Message => ({
  data,
  id,
  type,
  binary,
  followsGap: false,
  json: <T>() => (value ??= JSON.parse(data)) as T,
});

/** What a parser found: a message, a place in the stream, a wish of the server, or damage. */
export interface Incoming {
  readonly message?: Message;
  /** The resume point once this is handed over; empty clears it. Absent where this says nothing of ids. */
  readonly id?: string | undefined;
  /** The delay before reconnecting that the server asks for, in milliseconds. */
  readonly retry?: number | undefined;
  /** The length of something that is no message. */
  readonly malformed?: number;
}
