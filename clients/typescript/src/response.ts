import { countStream } from "./blocked.js";
import { piecesOf } from "./body.js";
import type { Connection, OpenContext, ProtocolContext } from "./connection.js";
import { passing, TransportError } from "./errors.js";
import { httpOf } from "./http.js";
import { createMessage, type Incoming, type Message } from "./message.js";
import type { Parser } from "./parser.js";
import { meaningOf } from "./signals.js";
import type { StreamMessage, StreamSignal } from "./types.js";

/** Three of the heartbeats that a server announces, in ms. */
export function longestSilenceOf(response: Response): number | undefined {
  const heartbeat = Number(response.headers.get("perennial-heartbeat"));
  return heartbeat > 0 && heartbeat < 86_400 ? heartbeat * 3000 : undefined;
}

/** Whether the server announced Perennial's protocol (docs/protocol.md). */
export const speaksPerennial = (response: Response): boolean => response.headers.get("perennial-protocol") === "1";

/** What a body holds. What came before damage comes first. */
export async function* readBody(response: Response, parser: Parser, signal: AbortSignal, heard: { bytes: number }): AsyncGenerator<Incoming[], undefined> {
  const next = piecesOf(response, signal);
  for (;;) {
    const found: Incoming[] = [];
    const bytes = await next().catch((cause: unknown) => {
      signal.throwIfAborted();
      throw passing("connection-lost", undefined, { cause });
    });
    try {
      if (bytes) parser.parse(bytes, found);
      else parser.end(found);
    } finally {
      heard.bytes += bytes?.length ?? 0;
      if (bytes || found.length) yield found;
    }
    if (!bytes) return;
  }
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
  const marksEnd = isOver || (isPerennial && canMarkEnd);
  const dialect = marksEnd || !canMarkEnd ? undefined : context.settings.dialect?.(response, context.settings);
  let delivered = hasDelivered;
  if (!IN_NODE) countStream(context.settings.url, signal);

  const connection = {
    longestSilence: longestSilenceOf(response),
    get marksEnd() { return dialect?.isUnfinished ?? marksEnd; },
    repeatsSends: http.repeatsPosts,
    bytes: 0,
    async read(): Promise<Incoming[] | undefined> {
      const { value } = await batches.next();
      delivered ||= !!value?.some(({ message }) => message);
      return value;
    },
    classify: (message: StreamMessage) => dialect?.classify(message) ?? meaningOf(message, context.settings, marksEnd, convention),
    canResume: () => http.canContinue(parser.hasId || !delivered),
    send: http.post,
    // A DELETE on a server that did not offer it might delete what the stream shows.
    stop: isPerennial ? http.stop : cannotStop,
    close() {},
  } satisfies Connection;
  // "HTTP 204 No Content" tells a client to stop reconnecting (HTML standard, 9.2.3).
  const batches = isOver ? [[{ message: endOf(response) }]].values() : readBody(response, parser, signal, connection);
  return connection;
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
