import { root, shows } from "./support/dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp, effectScope, h, nextTick, ref } from "vue";
import { WebSocket } from "ws";
import type { TransportServices } from "../src/types.js";
import { useSSE, useStreamText, useTransport, useWebSocket } from "../src/vue.js";
import { connectTo } from "./support/forms.js";
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

test("Without a source there is no stream yet; a token that changes is used at the next attempt, over the same stream", async () => {
  await using server = await new StreamServer().listen();
  server.write("one");
  const url = ref<string>();
  const token = ref("first");
  const element = root();
  const app = createApp({
    setup() {
      const stream = useSSE(() => (url.value === undefined ? undefined : { url: url.value, headers: { "x-token": token.value }, reconnect: { initialDelay: 0 } }));
      const text = useStreamText(() => (url.value === undefined ? undefined : { transport: "sse", url: url.value }));
      return () => h("p", `${texts(stream as ReturnType<typeof useSSE>)} ${text.value.text}`);
    },
  });
  app.mount(element);
  await shows(element, "idle:  ");
  url.value = server.url;
  await shows(element, "connected: one one");
  token.value = "second";
  await nextTick();
  server.cut();
  server.write("two");
  await shows(element, "connected: onetwo onetwo");
  assert.deepEqual(server.requests.map(({ headers }) => headers["x-token"]).filter((each) => each !== undefined), ["first", "second"]);
  app.unmount();
});

test("A transport of one's own stays open when the component goes", async () => {
  await using server = await new StreamServer().listen();
  server.write("one");
  const transport = connectTo("sse", server.url);
  const element = root();
  const app = createApp({ setup() { const stream = useTransport(transport); return () => h("p", texts(stream)); } });
  app.mount(element);
  await shows(element, "connected: one");
  app.unmount();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(transport.state, "connected");
  await transport.close();
});
