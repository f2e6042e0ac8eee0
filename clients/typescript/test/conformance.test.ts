import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Connection } from "../src/connection.js";
import { createJsonLinesParser } from "../src/json-lines.js";
import type { Incoming } from "../src/message.js";
import { connectResponse } from "../src/response.js";
import { classifyLine } from "../src/signals.js";
import { createSseParser } from "../src/sse-parser.js";
import { settle } from "../src/settings.js";
import type { ProtocolContext } from "../src/connection.js";

type Piece = string | { readonly hex: string } | { readonly repeat: string; readonly times: number };

interface Case {
  readonly name: string;
  readonly input: Piece | Piece[];
  readonly messages: { readonly id: string | null; readonly type: string; readonly data: string; readonly binary?: true }[];
  readonly cursor: string | null;
}

interface SseCase extends Case {
  readonly lastEventId?: string;
  readonly retry: number | null;
}

interface NdjsonCase extends Case {
  readonly perennial?: true;
  readonly cut?: true;
  readonly malformed: number;
  readonly errors: number;
  readonly outcome: string;
}

const load = <T>(name: string) => (JSON.parse(readFileSync(`../../conformance/${name}.json`, "utf8")) as { cases: T[] }).cases;

function bytesOf(input: Case["input"]): Uint8Array {
  const pieces = Array.isArray(input) ? input : [input];
  return Buffer.concat(pieces.map((piece) =>
    typeof piece == "string" ? Buffer.from(piece)
    : "hex" in piece ? Buffer.from(piece.hex.replaceAll(" ", ""), "hex")
    : Buffer.from(piece.repeat.repeat(piece.times))));
}

/** Whole, byte by byte, cut at every position, and small ones at every pair of positions. */
function* cuttings(length: number, pairsUpTo: number): Generator<number[]> {
  yield [];
  yield Array.from({ length }, (_, index) => index + 1);
  for (let cut = 0; cut <= length; cut++) yield [cut];
  for (let first = 0; first <= Math.min(length, pairsUpTo); first++) {
    for (let second = first; second <= Math.min(length, pairsUpTo); second++) yield [first, second];
  }
}

function* piecesOf(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    yield bytes.subarray(start, cut);
    start = cut;
  }
}

for (const each of load<SseCase>("sse")) {
  test(`SSE: ${each.name}`, () => {
    const bytes = bytesOf(each.input);
    for (const cuts of cuttings(bytes.length, 60)) {
      const found: Incoming[] = [];
      const parser = createSseParser(1 << 20, each.lastEventId);
      for (const piece of piecesOf(bytes, cuts)) parser.parse(piece, found);
      const reading = {
        messages: found.flatMap(({ message }) => (message ? [{ id: message.id ?? null, type: message.type, data: message.data }] : [])),
        cursor: found.reduce((cursor, { id }) => id ?? cursor, each.lastEventId ?? "") || null,
        retry: found.reduce<number | null>((delay, { retry }) => retry ?? delay, null),
      };
      assert.deepEqual(reading, { messages: each.messages, cursor: each.cursor, retry: each.retry }, `cut at ${cuts}`);
    }
  });
}

for (const each of load<NdjsonCase>("ndjson")) {
  test(`JSON lines: ${each.name}`, async () => {
    const bytes = bytesOf(each.input);
    const { messages, malformed, errors, outcome, cursor } = each;
    for (const cuts of cuttings(bytes.length, 20)) {
      assert.deepEqual(await readLines(each, [...piecesOf(bytes, cuts)]), { messages, malformed, errors, outcome, cursor }, `cut at ${cuts}`);
    }
  });
}

async function readLines({ perennial, cut }: NdjsonCase, pieces: Uint8Array[]) {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else if (cut) controller.error(new TypeError("cut"));
      else controller.close();
    },
  }, { highWaterMark: 0 });
  const settings = settle({ url: "http://body.test/", maxMessageLength: 1 << 20 });
  const context = { settings, target: { url: settings.url } } as ProtocolContext;
  const open = { attempt: 0, lastEventId: undefined, hasDelivered: false, signal: new AbortController().signal };
  const response = new Response(body, { headers: perennial ? { "perennial-protocol": "1" } : {} });
  return await tally(connectResponse(context, open, response, createJsonLinesParser(1 << 20, !!perennial), classifyLine));
}

/** Counts as the pump does. */
async function tally(connection: Connection) {
  const reading = { messages: [] as NdjsonCase["messages"], malformed: 0, errors: 0, outcome: "end", cursor: null as string | null };
  try {
    for (let batch; (batch = await connection.read()); ) {
      for (const { message, id, malformed } of batch) {
        if (malformed !== undefined) reading.malformed++;
        const signal = message && connection.classify(message);
        if (message && (signal == "message" || signal == "error" || signal == "delivered-then-completed")) {
          const { data, binary } = message;
          reading.messages.push({
            id: message.id ?? null, type: message.type,
            data: binary ? Buffer.from(binary).toString("base64") : data, ...(binary && { binary: true as const }),
          });
        }
        if (id !== undefined) reading.cursor = id || null;
        if (signal == "error") reading.errors++;
        if (signal == "delivered-then-completed") return { ...reading, outcome: "completed" };
        if (signal == "completed" || signal == "stopped" || signal == "failed") return { ...reading, outcome: signal };
      }
    }
  } catch {
    reading.outcome = "lost";
  }
  return reading;
}
