import { root, shows } from "./support/dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { act, createElement, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { WebSocket } from "ws";
import { type StreamView, useSSE, useStreamText, useTransport, useWebSocket } from "../src/react.js";
import type { TransportServices } from "../src/types.js";
import { connectTo } from "./support/forms.js";
import { StreamServer } from "./support/stream-server.js";

const services = { WebSocket: WebSocket as unknown as NonNullable<TransportServices["WebSocket"]> };
const texts = (view: ReturnType<typeof useSSE>) => `${view.state}: ${view.messages.map(({ data }) => data).join("")}`;

for (const [name, useIt] of [["useSSE", useSSE], ["useWebSocket", useWebSocket], ["useTransport", useTransport]] as const) {
  test(`${name} shows messages as they come, over one connection in strict mode, and leaves with the component`, async () => {
    await using server = await new StreamServer().listen();
    server.write("Hel", "lo");
    const Stream = () => createElement("p", null, texts(useIt({ url: server.url, services })));
    const element = root();
    const rendered = createRoot(element);
    await act(async () => rendered.render(createElement(StrictMode, null, createElement(Stream))));
    await act(() => shows(element, "connected: Hello"));
    await act(async () => server.write("!"));
    await act(() => shows(element, "connected: Hello!"));
    assert.equal(server.requests.length, 1);
    await act(async () => rendered.unmount());
    while (server.readers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
}

test("Another url makes another transport", async () => {
  await using first = await new StreamServer().listen();
  await using second = await new StreamServer().listen();
  first.write("one");
  second.write("two");
  let setUrl = (_: string) => {};
  const Stream = () => {
    const [url, set] = useState(first.url);
    setUrl = set;
    return createElement("p", null, texts(useSSE({ url })));
  };
  const element = root();
  const rendered = createRoot(element);
  await act(async () => rendered.render(createElement(Stream)));
  await act(() => shows(element, "connected: one"));
  await act(async () => setUrl(second.url));
  await act(() => shows(element, "connected: two"));
  while (first.readers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await act(async () => rendered.unmount());
});

test("A transport of one's own stays open when the component goes", async () => {
  await using server = await new StreamServer().listen();
  server.write("one");
  const transport = connectTo("sse", server.url);
  const Stream = () => createElement("p", null, texts(useTransport(transport)));
  const element = root();
  const rendered = createRoot(element);
  await act(async () => rendered.render(createElement(Stream)));
  await act(() => shows(element, "connected: one"));
  await act(async () => rendered.unmount());
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(transport.state, "connected");
  await transport.close();
});

test("On a server nothing is connected", async () => {
  await using server = await new StreamServer().listen();
  assert.equal(renderToString(createElement(() => createElement("p", null, texts(useSSE({ url: server.url }))))), "<p>idle: </p>");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(server.requests.length, 0);
});

test("Without a source there is no stream yet; it begins when there is one", async () => {
  await using server = await new StreamServer().listen();
  server.write("one");
  let setUrl = (_: string) => {};
  const Stream = () => {
    const [url, set] = useState<string>();
    setUrl = set;
    const view = useTransport(url === undefined ? undefined : { transport: "sse", url });
    return createElement("p", null, `${texts(view as StreamView)} ${view.transport?.kind}`);
  };
  const element = root();
  const rendered = createRoot(element);
  await act(async () => rendered.render(createElement(Stream)));
  assert.equal(element.textContent, "idle:  undefined");
  await act(async () => setUrl(server.url));
  await act(() => shows(element, "connected: one sse"));
  await act(async () => rendered.unmount());
});

test("A token that changes between renders is used at the next attempt, over the same stream", async () => {
  await using server = await new StreamServer().listen();
  server.write("one");
  let setToken = (_: string) => {};
  const Stream = () => {
    const [token, set] = useState("first");
    setToken = set;
    return createElement("p", null, texts(useSSE({
      url: server.url,
      headers: { "x-token": token },
      configureRequest: ({ headers }) => headers.set("x-configured", token),
      reconnect: { initialDelay: 0 },
    })));
  };
  const element = root();
  const rendered = createRoot(element);
  await act(async () => rendered.render(createElement(StrictMode, null, createElement(Stream))));
  await act(() => shows(element, "connected: one"));
  await act(async () => setToken("second"));
  assert.equal(server.requests.length, 1);
  server.cut();
  server.write("two");
  await act(() => shows(element, "connected: onetwo"));
  assert.deepEqual(server.requests.map(({ headers }) => [headers["x-token"], headers["x-configured"]]), [["first", "first"], ["second", "second"]]);
  await act(async () => rendered.unmount());
});

test("useStreamText joins what each message adds", async () => {
  await using server = await new StreamServer().listen();
  server.write("Hel", "lo");
  const Answer = () => createElement("p", null, `${useStreamText({ url: server.url, services }).text} ${useStreamText({ url: server.url, services }, ({ data }) => data[0]).text}`);
  const element = root();
  const rendered = createRoot(element);
  await act(async () => rendered.render(createElement(Answer)));
  await act(() => shows(element, "Hello Hl"));
  await act(async () => rendered.unmount());
});
