import { createMessage, type Incoming, type Message } from "./message.js";
import type { Parser } from "./parser.js";
import { memberOf, parse } from "./signals.js";
import { tooLarge } from "./sse-parser.js";

/** Divides bytes into lines of JSON; where `envelopes` says so, each is one (docs/protocol.md). */
export function createJsonLinesParser(maxLength: number, envelopes: boolean, lastEventId?: string): Parser {
  const decoder = new TextDecoder();
  let line = "";

  const parser = {
    hasId: !!lastEventId,
    parse(bytes: Uint8Array, into: Incoming[]) {
      const pieces = decoder.decode(bytes, { stream: true }).split("\n");
      const rest = pieces.pop()!;
      for (const piece of pieces) {
        keep(piece);
        read(into);
      }
      keep(rest);
    },
    end: read,
  };
  return parser;

  function keep(piece: string): void {
    if (line.length + piece.length > maxLength + 1) throw tooLarge();
    line += piece;
  }

  function read(into: Incoming[]): void {
    for (const found of readJson(line, envelopes)) {
      parser.hasId ||= !!found.id;
      into.push(found);
    }
    line = "";
  }
}

/** What one text holds: a message, or nothing where it is blank. */
export function readJson(text: string, envelopes: boolean): Incoming[] {
  const json = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  return json ? [envelopes ? openEnvelope(json) : readValue(json)] : [];
}

/** A message whose payload is JSON as it is written. */
function readValue(json: string): Incoming {
  const value = parse(json);
  return value === undefined ? { malformed: json.length } : { message: createMessage(json, undefined, undefined, undefined, value) };
}

/** What an envelope holds: a message, an id alone, or when to come back. */
export function openEnvelope(json: string): Incoming {
  const damaged = { malformed: json.length };
  const value = parse(json);
  if (!isObject(value)) return damaged;
  const text = (name: string) => (typeof value[name] == "string" ? value[name] : undefined);
  const type = text("type");
  const given = text("id");
  if (given && given.length > 8192) throw tooLarge();
  const id = given && !/[\r\n\0]/.test(given) ? given : undefined;
  if (type === undefined && !("data" in value) && !("binary" in value)) return given === undefined ? damaged : { id };
  let data = "";
  let binary: Uint8Array | undefined;
  if ("binary" in value) {
    binary = fromBase64(value["binary"]);
    if (!binary) return damaged;
  } else if ("data" in value) {
    data = text("data") ?? rawMember(json, "data");
  }
  if (/\p{Surrogate}/u.test(data + (type ?? "") + (given ?? ""))) return damaged;
  const message = createMessage(data, id, type || undefined, binary);
  return type == "perennial.retry" ? { id, retry: delayIn(message) } : { message, id };
}

function delayIn(message: Message): number | undefined {
  const delay = memberOf(message, "delay");
  return typeof delay == "number" && delay >= 0 ? delay : undefined;
}

export const isObject = (value: unknown): value is Record<string, unknown> => typeof value == "object" && value !== null && !Array.isArray(value);

function fromBase64(text: unknown): Uint8Array | undefined {
  try {
    return typeof text == "string" ? Uint8Array.from(atob(text), (character) => character.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a member at the top of an object: where there are several of the name, of the last. */
function rawMember(json: string, name: string): string {
  const parts = partsOf(json);
  return parts[parts.findLastIndex((part, at) => at % 2 == 0 && JSON.parse(part) == name) + 1]!;
}

/** The elements of an array, or the names and values of an object, as they are written: numbers keep their digits, objects their order. */
export function partsOf(json: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 1;
  for (const { 0: token, index } of json.matchAll(/"(?:[^"\\]+|\\.)*"|[{}[\]:,]/g)) {
    if (token == "}" || token == "]") depth--;
    if (index && (depth == 0 || (depth == 1 && (token == "," || token == ":")))) {
      parts.push(json.slice(start, index).trim());
      start = index + 1;
    }
    if (token == "{" || token == "[") depth++;
  }
  return parts;
}
