import { auto } from "./auto.js";
import { createClient } from "./client.js";
import type { Protocol } from "./connection.js";
import { httpStream } from "./http-stream.js";
import { longPoll } from "./long-poll.js";
import { sse } from "./sse.js";
import type { Transport, TransportKind, TransportOptions } from "./types.js";
import { websocket } from "./websocket.js";

export { autoOf } from "./auto.js";
export * from "./exports.js";
export { auto, httpStream, longPoll, sse, websocket };

/** What a transport is told, and the form it is to take. */
export interface AnyTransportOptions extends TransportOptions {
  /** A form by name, or one of your own. Default `auto`. */
  readonly transport?: TransportKind | Protocol | undefined;
}

const protocols = [auto, sse, websocket, httpStream, longPoll];

/** A form by its name. Throws a `TypeError` where there is none of this name. */
export function protocolOf(transport: TransportKind | Protocol = "auto"): Protocol {
  const protocol = typeof transport == "string" ? protocols.find(({ kind }) => kind == transport) : transport;
  if (!protocol) throw new TypeError(`transport: ${transport as string} is none of ${protocols.map(({ kind }) => kind).join(", ")}.`);
  return protocol;
}

/**
 * Makes a transport in the form of this name, or in one of your own. Connects nothing. For one form alone, and a smaller bundle, import
 * `createTransport` from `@perennial/client/sse` and its like.
 *
 * ```ts
 * const transport = createTransport({ transport: "auto", url: "https://example.com/streams/42" });
 * for await (const message of transport) console.log(message.data);
 * ```
 */
export const createTransport = ({ transport, ...options }: AnyTransportOptions): Transport => createClient(protocolOf(transport), options);
