import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransport } from "../src/sse.js";
import { CuttingProxy, seeded } from "./support/cutting-proxy.js";
import { StreamServer } from "./support/stream-server.js";

test("Reads every event once over a line that keeps breaking", async () => {
  await using server = await new StreamServer().listen();
  const random = seeded(1);
  await using proxy = await new CuttingProxy(server.port, () => 300 + Math.floor(random() * 20_000)).listen();
  const expected = Array.from({ length: 3000 }, (_, index) => `event ${index} ünï`);
  server.write(...expected);
  server.end("completed");
  const transport = createTransport({ url: proxy.url(), reconnect: { initialDelay: 0 } });
  const received: string[] = [];
  for await (const message of transport) received.push(message.data);
  assert.deepEqual(received, expected);
  assert.ok(proxy.cuts > 5, `${proxy.cuts} cuts`);
  assert.deepEqual(await transport.completion, { reason: "completed" });
});
