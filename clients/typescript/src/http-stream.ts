import { type CreateTransport, creatorOf } from "./client.js";
import type { Protocol } from "./connection.js";
import { httpOf } from "./http.js";
import { createJsonLinesParser } from "./json-lines.js";
import { createMessage, type Incoming } from "./message.js";
import type { Parser } from "./parser.js";
import { connectResponse, mediaType, refuse, speaksPerennial } from "./response.js";
import { classifyLine } from "./signals.js";

export * from "./exports.js";

/** One response of JSON lines, or of raw chunks (`framing: "raw"`). */
export const httpStream: Protocol = {
  kind: "http-stream",
  create: (context) => async (open) => {
    const { framing, maxMessageLength } = context.settings;
    const isRaw = framing == "raw";
    const response = await httpOf(context).open({ accept: isRaw ? "*/*" : "application/x-ndjson, application/json;q=0.9" }, open.lastEventId, open.signal);
    if (isRaw) return connectResponse(context, open, response, createRawParser(), () => "message", false);
    await requireJson(response);
    const parser = createJsonLinesParser(maxMessageLength, speaksPerennial(response), open.lastEventId);
    return connectResponse(context, open, response, parser, classifyLine);
  },
};

/** Makes a transport over one streamed HTTP response. */
export const createTransport: CreateTransport = creatorOf(httpStream);

/** Types that say JSON are read, and those that say nothing. Lines of JSON have no registered type and many in use. */
export async function requireJson(response: Response): Promise<void> {
  const isJson = /^$|^text\/plain$|octet-stream$|json(l|-?lines)?$/.test(mediaType(response));
  if (response.status != 204 && !isJson) await refuse(response, "application/x-ndjson");
}

/** Whatever arrives is a message at once. Its text never ends in half a character; its bytes are what came. */
function createRawParser(): Parser {
  const decoder = new TextDecoder();
  return {
    hasId: false,
    parse: (bytes, into: Incoming[]) => into.push({ message: createMessage(decoder.decode(bytes, { stream: true }), undefined, undefined, bytes) }),
    end() {},
  };
}
