import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransport as createAuto } from "../src/auto.js";
import { createTransport as createLongPoll } from "../src/long-poll.js";
import { createTransport } from "../src/sse.js";
import { createTransport as createWebSocket } from "../src/websocket.js";
import type { TransportOptions } from "../src/types.js";

const wrong: [Record<string, unknown>, string][] = [
  [{ connectTimeout: NaN }, "connectTimeout must be a number from 1, not NaN."],
  [{ connectTimeout: "30" }, "connectTimeout must be a number from 1, not 30."],
  [{ idleTimeout: 0 }, "idleTimeout must be a number from 1, not 0."],
  [{ endOfStream: "completed" }, "endOfStream must be one of complete, require-marker, reconnect, not completed."],
  [{ framing: "lines" }, "framing must be one of ndjson, raw, not lines."],
  [{ credentials: "yes" }, "credentials must be one of omit, same-origin, include, not yes."],
  [{ buffer: { fullMode: "wait" } }, "buffer.fullMode must be one of block, drop-oldest, drop-newest, unlimited, not wait."],
  [{ buffer: { highWaterMark: 80 } }, "buffer.highWaterMark must be a number from 1e-9 to 1, not 80."],
  [{ buffer: { capacity: 0 } }, "buffer.capacity must be a number from 1, not 0."],
  [{ reconnect: { jitter: "full" } }, "reconnect.jitter must be one of true, false, not full."],
  [{ reconnect: { multiplier: 0.5 } }, "reconnect.multiplier must be a number from 1, not 0.5."],
  [{ send: { timeout: null } }, "send.timeout must be a number from 1, not null."],
];

// What one form alone looks at, it checks alone; `auto` has all of them.
const ofOneForm: [typeof createTransport, Record<string, unknown>, string][] = [
  [createWebSocket, { heartbeat: { interval: 0, timeout: 5 } }, "heartbeat.interval must be a number from 1, not 0."],
  [createLongPoll, { interval: -1 }, "interval must be a number from 0, not -1."],
  [createAuto, { probeTimeout: 0 }, "probeTimeout must be a number from 1, not 0."],
];

for (const [create, options, message] of ofOneForm) {
  test(`A form of its own refuses ${JSON.stringify(options)}, and so does auto`, () => {
    for (const each of [create, createAuto]) {
      assert.throws(() => each({ url: "http://x.test/", ...options } as TransportOptions), { name: "RangeError", message });
    }
  });
}

for (const [options, message] of wrong) {
  test(`Refuses ${JSON.stringify(options)}`, () => {
    for (const create of [createTransport, createWebSocket]) {
      assert.throws(() => create({ url: "http://x.test/", ...options } as TransportOptions), { name: "RangeError", message });
    }
  });
}
