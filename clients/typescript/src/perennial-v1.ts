import { TransportError } from "./errors.js";
import { toBase64 } from "./keys.js";
import type { PendingSend, SendList } from "./outgoing.js";
import type { Settings } from "./settings.js";
import type { SendOutcome } from "./types.js";
import { after, onAbort } from "./waiting.js";

/** How a transport is known under `perennial.v1`: kept over connections, given up where a message's fate was left open. */
export interface Sender {
  id: string;
  next: number;
  /** Numbers that were given and not answered. */
  open: number;
}

/** Numbers start at 1, and those of one sender have no holes. */
export const createSender = (): Sender => ({ id: drawId(), next: 1, open: 0 });

/**
 * Numbered sends under the WebSocket subprotocol `perennial.v1` (docs/protocol.md), over one connection: names the sender, waits for
 * what the server knows of it, sends all that has no answer, in order, and takes answers. What one connection leaves open the next repeats.
 */
export function createNumberedSends(list: SendList, sender: Sender, { services, send: { timeout } }: Settings, signal: AbortSignal, say: (json: string) => void) {
  let phase: "silent" | "asked" | "ready" = "silent";
  let reached = 0;                // the highest number sent over this connection

  const numbered = () => list.waiting.filter((send) => send.number);

  return {
    run,

    /** All messages up to this one are recorded. */
    acknowledged(received: number): void {
      if (phase == "asked") {
        if (received < lowestOpen() - 1) return forgotten();
        phase = "ready";
      }
      for (const send of numbered()) if (send.number! <= received) answer(send, "acknowledged");
      run();
    },

    /** The server will not take this one. Its number is used up. */
    refused(number: number, serverCode: string | undefined, serverMessage: string | undefined): void {
      for (const send of numbered()) {
        if (send.number == number) answer(send, undefined, new TransportError("send-rejected", number, { delivery: "not-sent", serverCode, serverMessage }));
      }
    },
  };

  /** Sends what waits. */
  function run(): void {
    if (phase == "silent") introduce();
    if (phase != "ready") return;
    for (const send of [...list.waiting]) {
      if (!send.number) {
        send.number = sender.next++;
        sender.open++;
      }
      if (send.number <= reached) continue;
      reached = send.number;
      send.delivery = "unknown";
      const cancel = after(services, timeout, () => send.settle(undefined, new TransportError("send-timeout", timeout, { delivery: "unknown" })));
      const stopListening = onAbort(signal, cancel);
      onAbort(send.settled, () => {
        cancel();
        stopListening();
      });
      say(`{"type":"perennial.send","number":${reached},${payload(send)}}`);
    }
  }

  function answer(send: PendingSend, outcome?: SendOutcome, failure?: TransportError): void {
    sender.open--;
    list.remove(send);
    send.settle(outcome, failure);
  }

  function introduce(): void {
    if (sender.open != numbered().length) Object.assign(sender, createSender());
    phase = "asked";
    say(JSON.stringify({ type: "perennial.sender", data: { id: sender.id, next: lowestOpen() } }));
  }

  function lowestOpen(): number {
    return numbered()[0]?.number ?? sender.next;
  }

  /** The server has forgotten this sender: what has no answer may or may not have arrived. */
  function forgotten(): void {
    for (const send of numbered()) answer(send, undefined, new TransportError("connection-lost", "the server forgot the sender", { delivery: "unknown" }));
    Object.assign(sender, createSender());
    introduce();
  }
}

/** The payload as it stands in an event. A JSON value that is itself a string is sent as the text of that value. */
function payload({ data, kind }: { data: string | Uint8Array; kind: string }): string {
  if (typeof data != "string") return `"binary":"${toBase64(data)}"`;
  return `"data":${kind == "json" && data[0] != '"' ? data : JSON.stringify(data)}`;
}

/** 128 random bits in base64url. */
const drawId = (): string => toBase64(crypto.getRandomValues(new Uint8Array(16))).replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
