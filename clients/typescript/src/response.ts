import type { Connection, OpenContext, ProtocolContext } from "./connection.js";
import { passing, TransportError } from "./errors.js";
import { createMessage, type Incoming, type Message, type Parser } from "./message.js";
import { classifyControl, classifyError } from "./signals.js";
import type { StreamMessage, StreamSignal } from "./types.js";

/** Whether the server announced Perennial's protocol (docs/protocol.md). */
export const speaksPerennial = (response: Response): boolean => response.headers.get("perennial-protocol") === "1";

/** The bytes of a body, one piece at a time: nothing is read ahead, so that a slow reader slows the sender. */
export function readBody(response: Response, signal: AbortSignal): () => Promise<Uint8Array | undefined> {
  const reader = response.body?.getReader();
  return async () => {
    try {
      return (await reader?.read())?.value;
    } catch (cause) {
      signal.throwIfAborted();
      throw passing("connection-lost", undefined, { cause });
    }
  };
}

/** One response that is a stream, whatever its format. */
export function connectResponse(
  { settings, http }: ProtocolContext,
  { signal, hasDelivered }: OpenContext,
  response: Response,
  parser: Parser,
  convention: (message: StreamMessage) => StreamSignal,
  canMarkEnd = true,
): Connection {
  const isPerennial = speaksPerennial(response);
  const isOver = response.status == 204;
  const heartbeat = Number(response.headers.get("perennial-heartbeat"));
  const nextBytes = readBody(response, signal);
  const classify = settings.classify ?? (isPerennial && canMarkEnd ? classifyError : convention);
  let delivered = hasDelivered;
  let bytes = 0;
  let ended = false;
  let fault: unknown;         // found behind good messages, which are handed over first

  return {
    longestSilence: heartbeat > 0 && heartbeat < 86_400 ? heartbeat * 3000 : undefined,
    marksEnd: isPerennial && canMarkEnd,
    repeatsSends: true,
    get bytes() { return bytes; },
    async read() {
      // "HTTP 204 No Content" tells a client to stop reconnecting (HTML standard, 9.2.3).
      if (isOver) return [{ message: endOf(response) }];
      if (fault) throw fault;
      if (ended) return undefined;
      const found: Incoming[] = [];
      const block = await nextBytes();
      try {
        if (block) parser.parse(block, found);
        else parser.end(found);
      } catch (error) {
        if (!found.length) throw error;
        fault = error;
      }
      bytes += block?.length ?? 0;
      ended = !block;
      delivered ||= found.some((each) => each.message);
      return ended && !found.length ? undefined : found;
    },
    classify: (message) => (isOver || isPerennial ? controlOr(message, classify) : classify(message)),
    canResume: () => http.canContinue(parser.hasId || !delivered),
    send: async (message, limit) => {
      await http.post(message, limit);
      return "acknowledged";
    },
    // A DELETE on a server that did not offer it might delete what the stream shows.
    stop: (limit) => (isPerennial ? http.stop(limit) : cannotStop()),
    close() {},
  };
}

/** What the end of a stream that was reached before amounts to, where a 204 says so. */
export function endOf(response: Response): Message {
  const status = response.headers.get("perennial-status");
  return createMessage("", undefined, `perennial.${status == "stopped" || status == "failed" ? status : "completed"}`);
}

/** What a control event means, or else what the convention says. */
export function controlOr(message: Message, classify: (message: StreamMessage) => StreamSignal): StreamSignal {
  const control = classifyControl(message);
  return control == "message" ? classify(message) : control;
}

export async function cannotStop(): Promise<never> {
  throw new TransportError("not-connected", "this server cannot stop");
}

/** The media type of a response, without its parameters. */
export const mediaType = (response: Response): string => (response.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();

/** Leaves a response that is not what was asked for. */
export async function refuse(response: Response, needed: string): Promise<never> {
  await response.body?.cancel();
  const { status } = response;
  throw new TransportError(status == 200 ? "unexpected-content-type" : "http-status", `${status}, ${mediaType(response)} in place of ${needed}`, { status });
}
