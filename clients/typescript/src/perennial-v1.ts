import { TransportError } from "./errors.js";
import type { PendingSend, SendList } from "./sends.js";
import type { SendOutcome } from "./types.js";

/**
 * Numbered sends under the WebSocket subprotocol `perennial.v1` (docs/protocol.md), over one connection: names the sender, waits for
 * what the server knows of it, sends all that has no answer, in order, and takes answers. What one connection leaves open the next repeats.
 */
export function createNumberedSends(list: SendList, say: (json: string) => void) {
  let phase: "silent" | "asked" | "ready" = "silent";
  let reached = 0;                // the highest number sent over this connection
  const limits = new Map<number, () => void>();      // end the time these numbers have to be answered

  return {
    /** Sends what waits. */
    run(): void {
      if (phase == "silent") introduce();
      if (phase != "ready") return;
      for (const send of [...list.waiting]) {
        send.number ??= list.sender!.next++;
        if (send.number <= reached) continue;
        reached = send.number;
        send.mayHaveArrived = true;
        limits.set(send.number, list.limit(send));
        say(`{"type":"perennial.send","number":${send.number},${payload(send)}}`);
      }
    },

    /** All messages up to this one are recorded. */
    acknowledged(received: number): void {
      if (phase == "asked") {
        if (received < lowestOpen() - 1) return forgotten();
        phase = "ready";
      }
      for (const send of [...list.waiting]) {
        if (send.number === undefined || send.number > received) continue;
        answer(send, "acknowledged");
      }
      this.run();
    },

    /** The server will not take this one. Its number is used up. */
    refused(number: number, serverCode: string | undefined, serverMessage: string | undefined): void {
      const send = list.waiting.find((each) => each.number == number);
      if (!send) return;
      answer(send, new TransportError("send-rejected", number, { delivery: "not-sent", serverCode, serverMessage }));
    },

    /** The connection is over. */
    end(): void {
      for (const cancel of limits.values()) cancel();
    },
  };

  function answer(send: PendingSend, result: SendOutcome | TransportError): void {
    limits.get(send.number!)?.();
    limits.delete(send.number!);
    list.remove(send);
    send.settle(result);
  }

  function introduce(): void {
    list.sender ??= { id: drawId(), next: 1 };
    phase = "asked";
    say(JSON.stringify({ type: "perennial.sender", data: { id: list.sender.id, next: lowestOpen() } }));
  }

  function lowestOpen(): number {
    return list.waiting.find((send) => send.number !== undefined)?.number ?? list.sender!.next;
  }

  /** The server has forgotten this sender: what has no answer may or may not have arrived. */
  function forgotten(): void {
    for (const send of list.waiting.filter((each) => each.number !== undefined)) {
      answer(send, new TransportError("connection-lost", "the server forgot the sender", { delivery: "unknown" }));
    }
    list.sender = undefined;
    introduce();
  }
}

/** The payload as it stands in an event. A JSON value that is itself a string is sent as the text of that value. */
function payload({ data, kind }: { data: string | Uint8Array; kind: string }): string {
  if (typeof data != "string") return `"binary":"${toBase64(data)}"`;
  return `"data":${kind == "json" && data[0] != '"' ? data : JSON.stringify(data)}`;
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** 128 random bits in base64url. */
const drawId = (): string => toBase64(crypto.getRandomValues(new Uint8Array(16))).replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
