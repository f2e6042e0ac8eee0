import { type CreateTransport, creatorOf } from "./client.js";
import type { Connection, OpenContext, Protocol, ProtocolContext } from "./connection.js";
import { requireJson } from "./http-stream.js";
import { httpOf } from "./http.js";
import { createJsonLinesParser, partsOf, readJson } from "./json-lines.js";
import type { Incoming } from "./message.js";
import type { Parser } from "./parser.js";
import { endOf, longestSilenceOf, mediaType, readBody, speaksPerennial } from "./response.js";
import { fill } from "./settings.js";
import { classifyLine, meaningOf, parse } from "./signals.js";
import { tooLarge } from "./sse-parser.js";
import type { StreamMessage } from "./types.js";
import { sleep } from "./waiting.js";

export * from "./exports.js";

/** Requests one after the other, each asking for what follows the last. A sequence of polls that did not fail is one connection. */
export const longPoll: Protocol = {
  kind: "long-poll",
  create(context) {
    const { interval } = fill({ interval: context.settings.interval }, "", 0, { interval: 250 });
    return connect.bind(undefined, context, interval);
  },
};

/** Makes a transport over long polling. */
export const createTransport: CreateTransport = creatorOf(longPoll);

async function connect(context: ProtocolContext, interval: number, { lastEventId, signal }: OpenContext): Promise<Connection> {
  const { settings } = context;
  const { services, maxMessageLength } = settings;
  const http = httpOf(context);
  let cursor = lastEventId;
  let isPerennial = false;
  let polledAt = 0;
  // Answered at once, so that it is known that messages can be sent (RFC 7240, 4.3).
  // Not of another origin, which may not allow the field (CORS).
  const first = poll(globalThis.location && location.origin != settings.url.origin ? {} : { prefer: "wait=0" });
  const batches = readAnswers();

  // A server may hold the first request until there is news: held for so long, it will be answered.
  const answered = await Promise.race([first, sleep(services, settings.connectTimeout / 2, signal)]);

  const connection = {
    longestSilence: answered ? longestSilenceOf(answered) : undefined,
    marksEnd: true,
    repeatsSends: http.repeatsPosts,
    bytes: 0,
    read: async () => (await batches.next()).value,
    classify: (message: StreamMessage) => meaningOf(message, settings, isPerennial, classifyLine),
    canResume: () => true,
    send: http.post,
    stop: http.stop,
    close() {},
  };
  return connection;

  /** One answer after the other, without an end. */
  async function* readAnswers(): AsyncGenerator<Incoming[], undefined> {
    for (let answer = first; ; answer = poll()) {
      const response = await answer;
      const status = response.headers.get("perennial-status");
      if (response.status == 204) {
        yield status && status != "running" ? [{ message: endOf(response) }] : [];
      } else {
        const isDocument = /^(application|text)\/json$|[^m]\+json$/.test(mediaType(response));
        const parser = (isDocument ? createDocumentParser : createJsonLinesParser)(maxMessageLength, isPerennial);
        for await (const found of readBody(response, parser, signal, connection)) {
          for (const { id } of found) cursor = id ?? cursor;
          yield found;
        }
      }
      // The first was answered at once because it was asked to be; the next one is held.
      const wait = answer == first && isPerennial ? 0 : polledAt + interval - services.now();
      if (wait > 0) await sleep(services, wait, signal);
    }
  }

  async function poll(fields?: Record<string, string>): Promise<Response> {
    polledAt = services.now();
    const response = await http.open({ accept: "application/json, application/x-ndjson", ...fields }, cursor, signal);
    await requireJson(response);
    isPerennial = speaksPerennial(response) || response.headers.has("perennial-status");
    return response;
  }
}

/** One JSON value, or an array whose elements are messages, read once it is there as a whole. Lines of JSON under that name are read as well. */
function createDocumentParser(maxLength: number, envelopes: boolean): Parser {
  const decoder = new TextDecoder();
  let text = "";
  return {
    hasId: false,
    parse(block) {
      text += decoder.decode(block, { stream: true });
      if (text.length > maxLength) throw tooLarge();
    },
    end(into) {
      const value = parse(text);
      const parts = Array.isArray(value) ? partsOf(text.trim()) : value === undefined ? text.split("\n") : [text];
      for (const part of parts) into.push(...readJson(part, envelopes));
    },
  };
}
