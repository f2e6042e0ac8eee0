import { TransportError } from "./errors.js";
import { createMessage, type Incoming } from "./message.js";
import type { Parser } from "./parser.js";
import { LONGEST_DELAY } from "./waiting.js";

/** A longer id fits no header. */
const LONGEST_ID = 8192;

/**
 * Reads an event stream (HTML standard, 9.2.5 and 9.2.6).
 *
 * ```ts
 * const events: Incoming[] = [];
 * createSseParser(4096).parse(new TextEncoder().encode("data: hello\n\n"), events);   // events[0].message.data == "hello"
 * ```
 */
export function createSseParser(maxLength: number, lastEventId = ""): Parser {
  const decoder = new TextDecoder();      // strips one leading byte order mark, as the standard has it
  let line = "";                          // a line that has begun
  let skipsLineFeed = false;              // the last character was CR: an LF now belongs to it
  let data: string | undefined;
  let type = "";
  let id = lastEventId;
  let idIsOwn = false;                    // the event being read has an id field

  const parser = {
    hasId: id != "",
    parse(bytes: Uint8Array, into: Incoming[]) {
      let text = decoder.decode(bytes, { stream: true });
      if (!text) return;
      if (skipsLineFeed) text = text.replace(/^\n/, "");
      skipsLineFeed = text.endsWith("\r");
      const pieces = text.split(/\r\n?|\n/);
      const rest = pieces.pop()!;
      for (const piece of pieces) {
        const whole = append(piece);
        line = "";
        if (whole) readLine(whole, into);
        else dispatch(into);
      }
      append(rest);
    },
    end() {},
  };
  return parser;

  function append(piece: string): string {
    if (line.length + piece.length > maxLength + 1024) throw tooLarge();
    return (line += piece);
  }

  function readLine(whole: string, into: Incoming[]): void {
    const colon = (whole + ":").indexOf(":");
    const name = whole.slice(0, colon);
    const value = whole.slice(colon + (whole[colon + 1] == " " ? 2 : 1));
    if (name == "data") {
      data = data === undefined ? value : data + "\n" + value;
      if (data.length > maxLength) throw tooLarge();
    }
    if (name == "id" && !value.includes("\0")) {
      if (value.length > LONGEST_ID) throw tooLarge();
      id = value;
      idIsOwn = true;
    }
    if (name == "event") type = value;
    if (name == "retry" && /^\d+$/.test(value)) into.push({ retry: Math.min(+value, LONGEST_DELAY) });
  }

  /** An empty line ends the event. Without data there is no message, but the id counts all the same. */
  function dispatch(into: Incoming[]): void {
    const own = idIsOwn ? id : undefined;
    if (data !== undefined) into.push({ message: createMessage(data, id || undefined, type || undefined), id: own });
    else if (idIsOwn) into.push({ id });
    parser.hasId = id != "";
    data = undefined;
    idIsOwn = false;
    type = "";
  }
}

export const tooLarge = () => new TransportError("message-too-large");
