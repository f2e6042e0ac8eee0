import type { Connection, OpenContext, ProtocolContext } from "./connection.js";
import { passing, TransportError } from "./errors.js";
import { httpOf } from "./http.js";
import { createMessage, type Incoming, type Message, type Parser } from "./message.js";
import { meaningOf } from "./signals.js";
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
  context: ProtocolContext,
  { signal, hasDelivered }: OpenContext,
  response: Response,
  parser: Parser,
  convention: (message: StreamMessage) => StreamSignal,
  canMarkEnd = true,
): Connection {
  const http = httpOf(context);
  const isPerennial = speaksPerennial(response);
  const isOver = response.status == 204;
  const marksEnd = isPerennial && canMarkEnd;
  const heartbeat = Number(response.headers.get("perennial-heartbeat"));
  const nextBytes = readBody(response, signal);
  let delivered = hasDelivered;
  const batches = readBatches();

  const connection = {
    longestSilence: heartbeat > 0 && heartbeat < 86_400 ? heartbeat * 3000 : undefined,
    marksEnd,
    repeatsSends: true,
    bytes: 0,
    read: async () => (await batches.next()).value,
    classify: (message: StreamMessage) => meaningOf(message, context.settings, isOver || marksEnd, convention),
    canResume: () => http.canContinue(parser.hasId || !delivered),
    send: http.post,
    // A DELETE on a server that did not offer it might delete what the stream shows.
    stop: isPerennial ? http.stop : cannotStop,
    close() {},
  } satisfies Connection;
  return connection;

  async function* readBatches(): AsyncGenerator<Incoming[], undefined> {
    // "HTTP 204 No Content" tells a client to stop reconnecting (HTML standard, 9.2.3).
    if (isOver) yield [{ message: endOf(response) }];
    for (;;) {
      const found: Incoming[] = [];
      const block = await nextBytes();
      try {
        if (block) parser.parse(block, found);
        else parser.end(found);
      } finally {
        connection.bytes += block?.length ?? 0;
        delivered ||= found.some(({ message }) => message);
        if (block || found.length) yield found;      // what came before damage is handed over first
      }
      if (!block) return;
    }
  }
}

/** What the end of a stream that was reached before amounts to, where a 204 says so. */
export function endOf(response: Response): Message {
  const status = response.headers.get("perennial-status");
  return createMessage("", undefined, `perennial.${status == "stopped" || status == "failed" ? status : "completed"}`);
}

export async function cannotStop(): Promise<never> {
  throw new TransportError("not-connected", "the server cannot stop");
}

/** The media type of a response, without its parameters. */
export const mediaType = (response: Response): string => /[^;\s]*/.exec(response.headers.get("content-type") ?? "")![0].toLowerCase();

/** Leaves a response that is not what was asked for. */
export async function refuse(response: Response, needed: string): Promise<never> {
  await response.body?.cancel();
  const { status } = response;
  throw new TransportError(status == 200 ? "unexpected-content-type" : "http-status", `${status}, ${mediaType(response)} in place of ${needed}`, { status });
}
