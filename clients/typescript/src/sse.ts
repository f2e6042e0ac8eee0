import { type CreateTransport, creatorOf } from "./client.js";
import type { Protocol } from "./connection.js";
import { httpOf } from "./http.js";
import { connectResponse, mediaType, refuse } from "./response.js";
import { classifyEvent } from "./signals.js";
import { createSseParser } from "./sse-parser.js";

export * from "./exports.js";

/** Server-sent events over `fetch`: any method and body, any header, and heartbeats count. */
export const sse: Protocol = {
  kind: "sse",
  create: (context) => async (open) => {
    const type = "text/event-stream";
    const response = await httpOf(context).open({ accept: type }, open.lastEventId, open.signal);
    if (response.status != 204 && (response.status != 200 || mediaType(response) != type)) await refuse(response, type);
    const parser = createSseParser(context.settings.maxMessageLength, open.lastEventId);
    return connectResponse(context, open, response, parser, classifyEvent);
  },
};

/**
 * Makes a transport over SSE.
 *
 * ```ts
 * const transport = createTransport({ url: "/streams/42" });
 * for await (const message of transport) console.log(message.data);
 * ```
 */
export const createTransport: CreateTransport = creatorOf(sse);
