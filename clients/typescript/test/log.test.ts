import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "../src/types.js";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";

const write = (lines: string[]): Logger => {
  const at = (level: string) => (text: string) => void lines.push(`${level} ${text.replace(/^sse-\d+ /, "")}`);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
};

test("A logger is told of each state and each error once, in lines that hold no payload, header or URL", async () => {
  const lines: string[] = [];
  const scripted = new Scripted({ logger: write(lines), reconnect: { jitter: false }, headers: { authorization: "secret-header" }, buffer: { capacity: 3, highWaterMark: 0.5 } });
  scripted.transport.connect().catch(() => {});
  await settled();
  const body = scripted.last.answer();
  body.write("id: 1\ndata: secret-payload\n\nid: 2\ndata: secret-payload\n\n");
  await settled();
  body.break();
  await scripted.clock.advance(1000);
  scripted.last.answer(400, {}, undefined, '{"error":{"message":"secret-text","code":"secret-code"}}');
  await settled();
  assert.deepEqual(lines, [
    'debug connecting {"attempt":0}',
    'info connected {"attempt":0}',
    'info backpressure {"size":2,"capacity":3}',
    'warn error {"attempt":1,"error":{"message":"connection-lost"},"recoverable":true}',
    'warn reconnecting {"attempt":1,"maxAttempts":5,"delay":1000}',
    'debug connecting {"attempt":1}',
    'error error {"attempt":2,"error":{"message":"http-status: 400"},"recoverable":false}',
    'info closed {"reason":"failed","error":{"message":"http-status: 400"}}',
  ]);
  assert.doesNotMatch(lines.join(), /secret/);
});

test("A logger that throws is counted, and touches nothing", async () => {
  const fail = () => {
    throw new Error("disk full");
  };
  const scripted = new Scripted({ logger: { debug: fail, info: fail, warn: fail, error: fail } });
  scripted.transport.connect().catch(() => {});
  await settled();
  scripted.last.answer().end();
  assert.deepEqual(await scripted.transport.completion, { reason: "completed" });
  assert.ok(scripted.transport.getMetrics().handlerErrors >= 3);
});
