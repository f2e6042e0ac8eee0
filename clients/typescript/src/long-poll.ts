import { type CreateTransport, creatorOf } from "./client.js";
import type { Protocol } from "./connection.js";
import { requireJson } from "./http-stream.js";
import { httpOf } from "./http.js";
import { createJsonLinesParser, openEnvelope, readValue } from "./json-lines.js";
import type { Incoming, Parser } from "./message.js";
import { endOf, mediaType, readBody, speaksPerennial } from "./response.js";
import { classifyJson, meaningOf, parse } from "./signals.js";
import { tooLarge } from "./sse-parser.js";
import { sleep } from "./waiting.js";

export * from "./exports.js";

/** Requests one after the other, each asking for what follows the last. A sequence of polls that did not fail is one connection. */
export const longPoll: Protocol = {
  kind: "long-poll",
  create: (context) => async ({ lastEventId, signal }) => {
    const { settings } = context;
    const http = httpOf(context);
    const { services, maxMessageLength, interval } = settings;
    let cursor = lastEventId;
    let isPerennial = false;
    let polledAt = 0;
    let bytes = 0;
    let parser: Parser;
    let next: (() => Promise<Uint8Array | undefined>) | undefined;      // more of the answer being read
    let first: Promise<Response> | undefined = poll();

    // A server may hold the first request until there is news: held for so long, it will be answered.
    await Promise.race([first, sleep(services, settings.connectTimeout / 2, signal)]);

    return {
      marksEnd: true,
      repeatsSends: true,
      get bytes() { return bytes; },
      async read() {
        const found: Incoming[] = [];
        if (!next && !(await open(found))) return found;
        const block = await next!();
        bytes += block?.length ?? 0;
        if (block) {
          parser.parse(block, found);
        } else {
          parser.end(found);
          next = undefined;
        }
        for (const { id } of found) cursor = id ?? cursor;
        return found;
      },
      classify: (message) => meaningOf(message, settings, isPerennial, classifyJson),
      canResume: () => true,
      send: http.post,
      stop: http.stop,
      close() {},
    };

    /** Waits for the next answer; whether it has a body. */
    async function open(found: Incoming[]): Promise<boolean> {
      const wait = polledAt + interval - services.now();
      if (!first && wait > 0) await sleep(services, wait, signal);
      const response = await (first ?? poll());
      first = undefined;
      isPerennial = speaksPerennial(response) || response.headers.has("perennial-status");
      const status = response.headers.get("perennial-status");
      if (response.status == 204) {
        if (status && status != "running") found.push({ message: endOf(response) });
        return false;
      }
      parser = /^(application|text)\/json$|[^m]\+json$/.test(mediaType(response))
        ? createDocumentParser(maxMessageLength, isPerennial)
        : createJsonLinesParser(maxMessageLength, isPerennial);
      next = readBody(response, signal);
      return true;
    }

    async function poll(): Promise<Response> {
      polledAt = services.now();
      const response = await http.open("application/json, application/x-ndjson", cursor, signal);
      await requireJson(response);
      return response;
    }
  },
};

/** Makes a transport over long polling. */
export const createTransport: CreateTransport = creatorOf(longPoll);

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
      if (Array.isArray(value)) {
        for (const each of value) into.push((envelopes ? openEnvelope : readValue)(JSON.stringify(each)));
      } else {
        const lines = createJsonLinesParser(maxLength, envelopes);
        lines.parse(new TextEncoder().encode(value === undefined ? text : text.replace(/[\r\n]+/g, " ")), into);
        lines.end(into);
      }
    },
  };
}
