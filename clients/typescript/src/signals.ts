import { type ErrorDetails, TransportError } from "./errors.js";
import type { Settings } from "./settings.js";
import type { StreamMessage, StreamSignal } from "./types.js";

/** The events by which a server that announced Perennial's protocol says what is not payload (docs/protocol.md). */
function classifyControl({ type }: StreamMessage): StreamSignal {
  if (!type.startsWith("perennial.")) return "message";
  const name = type.slice(10);
  return name == "completed" || name == "stopped" || name == "failed" || name == "gap" ? name : "ignored";
}

/** What a message means: what a server that speaks Perennial's protocol says, or else the caller's convention, or else that of the form. */
export function meaningOf(message: StreamMessage, { classify }: Settings, isPerennial: boolean, convention: (message: StreamMessage) => StreamSignal): StreamSignal {
  const control = isPerennial ? classifyControl(message) : "message";
  return control == "message" ? (classify ?? (isPerennial ? classifyError : convention))(message) : control;
}

/** `[DONE]` of chat completion streams, errors, and failures, as `event: error` with JSON too. An event that merely is called done is an event. */
export const classifyEvent = (message: StreamMessage): StreamSignal =>
  message.data == "[DONE]" ? "completed"
  : message.type == "error" && parse(message.data) !== undefined ? "failed"
  : classifyFailure(message);

/** Errors alone, as `{"type":"error",…}`: for streams whose end is marked in another way, where done is somebody's data. */
export const classifyError = (message: StreamMessage): StreamSignal => (mayHold(message, '"error"') && memberOf(message, "type") === "error" ? "error" : "message");

/** Errors, and what a response fails by that had begun well: `{"error":{…}}` or `{"error":"…"}` and nothing else, but a code. */
function classifyFailure(message: StreamMessage): StreamSignal {
  const signal = classifyError(message);
  if (signal == "error" || !mayHold(message, '"error"')) return signal;
  const { error, code: _, request_id: __, ...more } = (parse(message.data) ?? {}) as Members;
  return error && /object|string/.test(typeof error) && !Object.keys(more).length ? "failed" : signal;
}

/**
 * What JSON messages of a conversation mean, as servers in the field write it: `{"type":"done"}` ends a stream and is not delivered when
 * it says nothing else; `{"done":true}` alone, or in a line of Ollama, which names its `model`, ends it and is delivered; in anything
 * larger it is somebody's data. `{"type":"error",…}` is an error. Only members at the top count.
 */
export function classifyJson(message: StreamMessage): StreamSignal {
  const { type, done, ...more } = mayHold(message, 'done"') ? ((parse(message.data) ?? {}) as Members) : {};
  const isAlone = !Object.keys(more).length;
  if (type === "done") return done === undefined && isAlone ? "completed" : "delivered-then-completed";
  const isMarked = done === true && type !== "error" && ((isAlone && type === undefined) || text(more["model"]) !== undefined);
  return isMarked ? "delivered-then-completed" : classifyError(message);
}

/** The same for the lines of a response, which may fail: in a conversation an error may be the answer to one message of many. */
export function classifyLine(message: StreamMessage): StreamSignal {
  const signal = classifyJson(message);
  return signal == "message" ? classifyFailure(message) : signal;
}

/** A look before the parsing. */
const mayHold = ({ data }: StreamMessage, text: string): boolean => data[0] == "{" && data.includes(text);

/** What a message says of a failure. */
export const failureIn = ({ data }: StreamMessage, transient: boolean): TransportError => new TransportError("server-failed", undefined, { ...explain(data), transient });

/**
 * What a server says of an error: `{"error":{"message":"…","code":"…"}}`, the same members at the top or in a `response`, `{"error":"…"}`,
 * problem details (RFC 9457), or plain text. A code that is a number counts where there is no other.
 */
export function explain(said: string): ErrorDetails {
  const value = parse(said) as Members | undefined;
  const error = (value?.["error"] ?? (value?.["response"] as Members | undefined)?.["error"]) as Members | undefined;
  const find = (...names: string[]) => names.map((name) => text(error?.[name]) ?? text(value?.[name])).find((found) => found !== undefined);
  const plain = /^\s*(<|$)/.test(said) ? undefined : said.trim();
  return {
    serverMessage: text(error) ?? find("message", "detail", "errorText", "title") ?? (value === undefined ? plain : undefined),
    serverCode: find("code") ?? text(error?.["type"]) ?? text(error?.["status"]) ?? (text(value?.["title"]) && text(value?.["type"])) ?? error?.["code"]?.toString(),
  };
}

/** An object of JSON, as far as is known. */
type Members = { readonly [name in string]?: unknown };

/** A member of the payload. */
export const memberOf = ({ data }: StreamMessage, name: string): unknown => (parse(data) as Members | undefined)?.[name];

export const text = (value: unknown): string | undefined => (typeof value == "string" ? value : undefined);

/** The value of JSON, or undefined where it is none. */
export function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}
