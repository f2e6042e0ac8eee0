import type { Dialect, DialectRequest, StreamMessage, StreamSignal } from "./types.js";

export type { Dialect, DialectReading, DialectRequest, StreamMessage, StreamSignal } from "./types.js";

/**
 * What a message means in a format. `may-be-last`: the answer is complete if the response ends now; the message is delivered. `undefined`:
 * the stream goes on.
 */
export type DialectSignal = StreamSignal | "may-be-last" | undefined;

/** How a format shows itself, its end and its errors. Its functions are called while a stream is read: they must be fast and must not throw. */
export interface DialectRules {
  /** Whether the head of a response announces this format. */
  announced?(response: Response, request: DialectRequest): boolean;
  /** Whether one of the first three messages of a stream shows this format. */
  shown?(message: StreamMessage): boolean;
  /** What a message means for its stream. */
  judge(message: StreamMessage): DialectSignal;
}

/** An object of JSON, as far as is known. */
type Members = { readonly [name in string]?: unknown };

const LAST = "delivered-then-completed";

/** The messages in which a format can be recognized. */
const FIRST_MESSAGES = 3;

/** A look before the parsing: whether a message is an object that holds these texts anywhere. */
const holds = ({ data }: StreamMessage, ...texts: string[]): boolean => data[0] == "{" && texts.every((text) => data.includes(text));

/** The members of a message that holds this text; of any other none. */
function membersOf(message: StreamMessage, text: string): Members {
  try {
    return holds(message, text) ? message.json<Members>() : {};
  } catch {
    return {};
  }
}

/** Whether a message has the member `error`, and it is an object or a text. */
function failure(message: StreamMessage): DialectSignal {
  const { error } = membersOf(message, '"error"');
  return error && [Object, String].includes((error as object).constructor as ObjectConstructor) ? "failed" : undefined;
}

/** Chat completions: the marker is no message. */
const isDone = ({ data }: StreamMessage): boolean => data == "[DONE]";

/** What a type means, in formats that have one for each message. */
const byType = (type: unknown, last: RegExp, failed: RegExp, signal: DialectSignal = LAST): DialectSignal =>
  last.test(`${type}`) ? signal : failed.test(`${type}`) ? "failed" : undefined;

/**
 * A format of your own, for the option `dialect`.
 *
 * ```ts
 * const ours = dialectOf({ judge: ({ type }) => (type == "bye" ? "delivered-then-completed" : undefined) });
 * const transport = createTransport({ url: "/answer", body: { prompt }, dialect: ours });
 * ```
 */
export const dialectOf = (rules: DialectRules): Dialect => reading([], rules);

const chat: DialectRules = {
  shown: (message) => holds(message, '"chat.completion.chunk"'),
  judge: (message) => (isDone(message) ? "completed" : failure(message)),
};

const responses: DialectRules = {
  shown: (message) => /^response\.(created|queued|in_progress)$/.test(message.type) && holds(message, '"sequence_number"'),
  judge: ({ type }) => byType(type, /^response\.(completed|incomplete)$/, /^(response\.failed|error)$/),
};

const messages: DialectRules = {
  shown: (message) => message.type == "message_start" && holds(message, '"message_start"'),
  judge: ({ type }) => byType(type, /^message_stop$/, /^error$/),
};

const lines: DialectRules = {
  shown: (message) => holds(message, '"model"', '"created_at"', '"done"'),
  judge: (message) => (membersOf(message, "true")["done"] === true ? LAST : failure(message)),
};

const candidates: DialectRules = {
  shown: (message) => holds(message) && /"(candidates|promptFeedback)"/.test(message.data) && /"(usageMetadata|modelVersion)"/.test(message.data),
  judge(message) {
    const found = membersOf(message, '"finishReason"')["candidates"] as Members[] | undefined;
    return holds(message, '"blockReason"') || found?.some?.((each) => each?.["finishReason"]) ? "may-be-last" : failure(message);
  },
};

/** Only the header shows these: other streams may begin with `{"type":"start"}`, too. */
const parts: DialectRules = {
  announced: ({ headers }) => headers.has("x-vercel-ai-ui-message-stream"),
  judge(message) {
    if (isDone(message)) return "completed";
    return /"(finish|abort|error)"/.test(message.data) ? byType(membersOf(message, "")["type"], /^(finish|abort)$/, /^error$/, "may-be-last") : undefined;
  },
};

const events: DialectRules = {
  shown: (message) => membersOf(message, '"RUN_STARTED"')["type"] === "RUN_STARTED",
  judge: (message) => byType(membersOf(message, '"RUN_')["type"], /^RUN_FINISHED$/, /^RUN_ERROR$/),
};

/** A stream that a GET opened has no end of its own. */
const calls: DialectRules = {
  announced: ({ headers }, { method, headers: sent }) => method == "POST" && (headers.has("mcp-session-id") || new Headers(sent()).has("mcp-protocol-version")),
  judge: (message) => ("result" in membersOf(message, '"result"') ? LAST : failure(message)),
};

/** The last is a status update that is final, or a message, which is an answer without a task. */
const tasks: DialectRules = {
  shown: (message) => holds(message, '"jsonrpc"', '"kind"', '"contextId"'),
  judge(message) {
    const result = membersOf(message, '"result"')["result"] as Members | null | undefined;
    return result?.["final"] === true || result?.["kind"] === "message" ? LAST : failure(message);
  },
};

/** OpenAI's chat completions, and those of the many servers that speak like it: `data: [DONE]` is the end. */
export const openAIChat: Dialect = dialectOf(chat);

/** OpenAI's responses: `response.completed` or `response.incomplete` is the end. */
export const openAIResponses: Dialect = dialectOf(responses);

/** Anthropic's messages: `message_stop` is the end. */
export const anthropic: Dialect = dialectOf(messages);

/** Ollama: a line with `"done":true` is the end. For `@perennial/client/http-stream`. */
export const ollama: Dialect = dialectOf(lines);

/** Gemini: the body ends after a candidate with `finishReason`. */
export const gemini: Dialect = dialectOf(candidates);

/** UI messages of the AI SDK: `finish` or `abort`, then `data: [DONE]`. */
export const aiSdk: Dialect = dialectOf(parts);

/** AG-UI: `RUN_FINISHED` is the end. */
export const agui: Dialect = dialectOf(events);

/** MCP's streamable HTTP: the JSON-RPC response to the request is the end. */
export const mcp: Dialect = dialectOf(calls);

/** A2A: a status update with `"final":true` is the end. */
export const a2a: Dialect = dialectOf(tasks);

/**
 * Whichever of these formats a response announces or its first three messages show; it is kept for the life of the transport. A stream in
 * none of them is read as without this option.
 *
 * ```ts
 * const transport = createTransport({ url: "/v1/messages", body, dialect: recognized });
 * for await (const message of transport) show(message);      // throws where the answer is not whole
 * ```
 */
export const recognized: Dialect = reading([chat, responses, messages, lines, candidates, parts, events, calls, tasks]);

/** Reads in a format that is named, or in one that is found among those known. */
function reading(known: readonly DialectRules[], named?: DialectRules): Dialect {
  return () => {
    let dialect = named;
    let left = FIRST_MESSAGES;
    const find = (fits: (rules: DialectRules) => boolean | undefined) => {
      if (left > 0) dialect ??= known.find(fits);
    };

    return (response, request) => {
      let mayEnd = false;
      find(({ announced }) => announced?.(response, request));
      return {
        get isUnfinished() { return !!dialect && !mayEnd; },
        classify(message) {
          find(({ shown }) => shown?.(message));
          left--;
          const signal = dialect?.judge(message);
          if (signal != "may-be-last") return signal ?? (dialect && "message");
          mayEnd = true;
          return "message";
        },
      };
    };
  };
}
