import { root, shows } from "./support/dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp, effectScope, h, ref } from "vue";
import { WebSocket } from "ws";
import type { TransportServices } from "../src/types.js";
import { useSSE, useTransport, useWebSocket } from "../src/vue.js";
import { StreamServer } from "./support/stream-server.js";

const services = { WebSocket: WebSocket as unknown as NonNullable<TransportServices["WebSocket"]> };
const texts = (view: ReturnType<typeof useSSE>) => `${view.value.state}: ${view.value.messages.map(({ data }) => data).join("")}`;

for (const [name, useIt] of [["useSSE", useSSE], ["useWebSocket", useWebSocket], ["useTransport", useTransport]] as const) {
  test(`${name} shows messages as they come, follows its url, and leaves with the component`, async () => {
    await using first = await new StreamServer().listen();
    await using second = await new StreamServer().listen();
    first.write("Hel", "lo");
    second.write("other");
    const url = ref(first.url);
    const element = root();
    const app = createApp({
      setup() {
        const stream = useIt(() => ({ url: url.value, services }));
        return () => h("p", texts(stream));
      },
    });
    app.mount(element);
    await shows(element, "connected: Hello");
    first.write("!");
    await shows(element, "connected: Hello!");
    assert.equal(first.requests.length, 1);
    url.value = second.url;
    await shows(element, "connected: other");
    while (first.readers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    app.unmount();
    while (second.readers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
}

test("Outside a component it lives as long as its scope", async () => {
  await using server = await new StreamServer().listen();
  const scope = effectScope();
  const stream = scope.run(() => useSSE({ url: server.url }))!;
  while (stream.value.state != "connected") await new Promise((resolve) => setTimeout(resolve, 5));
  scope.stop();
  while (server.readers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});
