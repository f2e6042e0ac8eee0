import { TransportError } from "./errors.js";
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
  const find = (name: string) => text(memberOf(message, "error", name)) ?? text(memberOf(message, name));
  return new TransportError("server-failed", undefined, {
    transient,
    serverMessage: find("message"),
    serverCode: find("code") ?? text(memberOf(message, "error", "type")),
  });
}

/** A member of the payload. */
export const memberOf = (message: StreamMessage, ...path: string[]): unknown =>
  path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), parse(message.data));

export const text = (value: unknown): string | undefined => (typeof value == "string" ? value : undefined);
