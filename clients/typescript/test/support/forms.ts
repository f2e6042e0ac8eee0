import { WebSocket } from "ws";
import { createTransport } from "../../src/index.js";
import type { Transport, TransportKind, TransportOptions, TransportServices } from "../../src/types.js";

/** A transport to a server of this machine, which reconnects at once. Node 20 has no WebSocket of its own. */
export function connectTo(kind: TransportKind, url: string, options: Partial<TransportOptions> = {}): Transport {
  return createTransport({
    transport: kind,
    url,
    interval: 0,
    ...options,
    reconnect: options.reconnect === false ? false : { initialDelay: 0, ...options.reconnect },
    services: { WebSocket: WebSocket as unknown as NonNullable<TransportServices["WebSocket"]>, ...options.services },
  });
}

/** What the transport announced, by name, in order. */
export function record(transport: Transport): { readonly names: string[]; readonly details: { readonly [name: string]: unknown }[] } {
  const names: string[] = [];
  const details: { readonly [name: string]: unknown }[] = [];
  for (const name of ["connecting", "connected", "reconnecting", "done", "error", "closed", "backpressure", "drain", "gap", "dropped"] as const) {
    transport.on(name, (detail) => {
      names.push(name);
      details.push({ [name]: detail });
    });
  }
  return { names, details };
}

/** All messages to the end. */
export async function readAll(transport: Transport): Promise<string[]> {
  const received: string[] = [];
  for await (const message of transport) received.push(message.data);
  return received;
}
