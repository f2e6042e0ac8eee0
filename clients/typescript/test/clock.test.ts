import assert from "node:assert/strict";
import { test } from "node:test";
import { now } from "../src/clock.js";
import { createTransport } from "../src/sse.js";
import { settled } from "./support/manual-clock.js";
import { ScriptedBody } from "./support/scripted-fetch.js";

test("Time goes on where the clock on the wall is set back, and counts a sleep that the other clock did not see", (context) => {
  let wall = 1_000_000;
  let ticks = 500;
  context.mock.method(Date, "now", () => wall);
  context.mock.method(performance, "now", () => ticks);
  const start = now();
  wall += 10;
  ticks += 10;
  assert.equal(now() - start, 10);
  wall -= 3_600_000;
  ticks += 10;
  assert.equal(now() - start, 20);
  wall += 60_000;
  assert.equal(now() - start, 60_020);
});

test("A dead peer is noticed in time where the clock on the wall was set back an hour", async (context) => {
  let wall = Date.now();
  let ticks = performance.now();
  context.mock.method(Date, "now", () => wall);
  context.mock.method(performance, "now", () => ticks);
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const body = new ScriptedBody();
  const transport = createTransport({
    url: "http://x.test/", idleTimeout: 60_000, reconnect: false,
    services: { fetch: async () => new Response(body.stream, { headers: { "content-type": "text/event-stream" } }) },
  });
  await transport.connect();
  await settled();
  wall -= 3_600_000;
  for (let second = 0; second < 61; second++) {
    wall += 1_000;
    ticks += 1_000;
    context.mock.timers.tick(1_000);
  }
  assert.equal((await Promise.race([transport.completion, settled()]))?.error?.code, "idle-timeout");
});
