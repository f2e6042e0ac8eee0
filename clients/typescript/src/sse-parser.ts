import { TransportError } from "./errors.js";
import { type Incoming, Message, type Parser } from "./message.js";

/** Delays beyond what timers take count as this. */
const LONGEST_DELAY = 2 ** 31 - 1;
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
  let hasId = id != "";

  return {
    get hasId() {
      return hasId;
    },
    parse(bytes, into) {
      const text = decoder.decode(bytes, { stream: true });
      if (text == "") return;
      let start = skipsLineFeed && text[0] == "\n" ? 1 : 0;
      skipsLineFeed = false;
      for (const ends = /\r\n?|\n/g; ; ) {
        ends.lastIndex = start;
        const end = ends.exec(text);
        const part = text.slice(start, end?.index);
        if (line.length + part.length > maxLength + 1024) throw tooLarge();
        line += part;
        if (!end) return;
        const whole = line;
        line = "";
        start = ends.lastIndex;
        skipsLineFeed = start == text.length && end[0] == "\r";
        if (whole == "") dispatch(into);
        else readLine(whole, into);
      }
    },
    end() {},
  };

  function readLine(whole: string, into: Incoming[]): void {
    const colon = whole.indexOf(":");
    const name = colon < 0 ? whole : whole.slice(0, colon);
    const value = colon < 0 ? "" : whole.slice(colon + (whole[colon + 1] == " " ? 2 : 1));
    if (name == "data") {
      data = data === undefined ? value : data + "\n" + value;
      if (data.length > maxLength) throw tooLarge();
    } else if (name == "id" && !value.includes("\0")) {
      if (value.length > LONGEST_ID) throw tooLarge();
      id = value;
      idIsOwn = true;
    } else if (name == "event") {
      type = value;
    } else if (name == "retry" && /^\d+$/.test(value)) {
      into.push({ retry: Math.min(+value, LONGEST_DELAY) });
    }
  }

  /** An empty line ends the event. Without data there is no message, but the id counts all the same. */
  function dispatch(into: Incoming[]): void {
    const own = idIsOwn ? id : undefined;
    if (data !== undefined) into.push({ message: new Message(data, id || undefined, type || undefined), id: own });
    else if (idIsOwn) into.push({ id });
    hasId = id != "";
    data = undefined;
    idIsOwn = false;
    type = "";
  }
}

export const tooLarge = () => new TransportError("message-too-large");
