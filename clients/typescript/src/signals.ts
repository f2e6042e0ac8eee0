import { type ErrorCode, TransportError } from "./errors.js";
import { isObject, parse } from "./json-lines.js";
import type { StreamMessage, StreamSignal } from "./types.js";

/** The events by which a server that announced Perennial's protocol says what is not payload (docs/protocol.md). */
export function classifyControl({ type }: StreamMessage): StreamSignal {
  if (!type.startsWith("perennial.")) return "message";
  const name = type.slice(10);
  return name == "completed" || name == "stopped" || name == "failed" || name == "gap" ? name : "ignored";
}

/** `[DONE]` of chat completion streams, and errors. An event that merely is called done is an event. */
export const classifyEvent = (message: StreamMessage): StreamSignal => (message.data == "[DONE]" ? "completed" : classifyError(message));

/** Errors alone, as `{"type":"error",…}`: for streams whose end is marked in another way, where done is somebody's data. */
export const classifyError = (message: StreamMessage): StreamSignal => (mayHold(message, '"error"') && read(message) == "error" ? "error" : "message");

/**
 * What JSON messages mean, as servers in the field write it: `{"type":"done"}` ends a stream and is not delivered when it says nothing
 * else; `{"done":true,…}` ends it and is delivered; `{"type":"error",…}` is an error. Only members at the top count.
 */
export const classifyJson = (message: StreamMessage): StreamSignal => (mayHold(message, 'done"') || mayHold(message, '"error"') ? read(message) : "message");

const mayHold = ({ data }: StreamMessage, text: string): boolean => data[0] == "{" && data.includes(text);

function read({ data }: StreamMessage): StreamSignal {
  const value = parse(data);
  if (!isObject(value)) return "message";
  const { type, done } = value;
  if (type === "error") return "error";
  if (type === "done") return Object.keys(value).length == 1 ? "completed" : "delivered-then-completed";
  return done === true ? "delivered-then-completed" : "message";
}

/** What a message says of a failure: `{"error":{"message":"…","code":"…"}}`, or the same members at the top. */
export function failureIn(message: StreamMessage, transient: boolean): TransportError {
  const value = parse(message.data);
  const top = isObject(value) ? value : {};
  const inner = isObject(top["error"]) ? top["error"] : {};
  return new TransportError("server-failed" satisfies ErrorCode, transient ? "The server reports an error in the stream." : "The server failed to go on.", {
    transient,
    serverMessage: text(inner["message"]) ?? text(top["message"]),
    serverCode: text(inner["code"]) ?? text(top["code"]) ?? text(inner["type"]),
  });
}

/** A member of the payload, where it is text. */
export function textIn(message: StreamMessage, name: string): string | undefined {
  const value = parse(message.data);
  return isObject(value) ? text(value[name]) : undefined;
}

const text = (value: unknown): string | undefined => (typeof value == "string" ? value : undefined);
