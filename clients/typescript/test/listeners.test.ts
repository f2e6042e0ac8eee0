import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";
import { connectTo } from "./support/forms.js";
import { StreamServer } from "./support/stream-server.js";

const listenersOf = ({ signal }: AbortController): number => getEventListeners(signal, "abort").length;

test("Many transports under one AbortSignal have one listener there, and none once they are closed", async () => {
  const stop = new AbortController();
  const all = Array.from({ length: 200 }, () => new Scripted({ signal: stop.signal }).transport);
  for (const transport of all) transport.connect().catch(() => {});
  await settled();
  assert.equal(listenersOf(stop), 1);
  await Promise.all(all.map((transport) => transport.close()));
  assert.equal(listenersOf(stop), 0);
});

test("A transport that is connected again hears its AbortSignal again", async () => {
  const stop = new AbortController();
  const { transport } = new Scripted({ signal: stop.signal });
  await transport.close();
  transport.connect().catch(() => {});
  await settled();
  stop.abort();
  assert.deepEqual(await transport.completion, { reason: "closed" });
});

for (const kind of ["websocket", "sse"] as const) {
  test(`${kind}: many sends in flight are no leak, and finished ones leave nothing on their AbortSignal`, async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => void warnings.push(name);
    process.on("warning", onWarning);
    await using server = await new StreamServer().listen();
    const transport = connectTo(kind, server.url);
    const token = new AbortController();
    await Promise.all(Array.from({ length: 100 }, (_, index) => transport.send(`${index}`, { signal: token.signal })));
    assert.equal(listenersOf(token), 0);
    await transport.close();
    await settled();
    process.off("warning", onWarning);
    assert.deepEqual(warnings, []);
  });
}
