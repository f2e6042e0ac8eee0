import { createTransport, type StreamMessage, type Transport, TransportError } from "@perennial/client";
import { createTransport as auto } from "@perennial/client/auto";
import { dialectOf, recognized } from "@perennial/client/dialects";
import { createTransport as httpStream } from "@perennial/client/http-stream";
import { createTransport as longPoll } from "@perennial/client/long-poll";
import { createManager } from "@perennial/client/manager";
import { createTransport as sse } from "@perennial/client/sse";
import { createStore } from "@perennial/client/store";
import { createTransport as websocket } from "@perennial/client/websocket";

export const transports: Transport[] = [createTransport, sse, websocket, httpStream, longPoll, auto].map((create) => create({ url: "https://example.com/" }));

export const answer = sse({ url: "https://example.com/", dialect: recognized });
export const ours = dialectOf({ judge: ({ type }) => (type == "bye" ? "completed" : undefined) });

export async function read(transport: Transport): Promise<StreamMessage[]> {
  const messages: StreamMessage[] = [];
  for await (const message of transport) messages.push(message);
  await transport.send(new Uint8Array(1));
  return messages;
}

export const leave = createStore(transports[0]!, { keep: 3 }).subscribe(({ messages, transport }) => void transport.send(messages[0]?.data ?? ""));
export const manager = createManager();
export const isInterrupted = (error: unknown): boolean => error instanceof TransportError && error.code == "interrupted";
