import { root, shows } from "./support/dom.js";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { act, createElement } from "react";
import { createRoot } from "react-dom/client";
import { WebSocket } from "ws";
import type { TransportOptions, TransportServices } from "../src/types.js";
import { serveAnswers } from "./support/exchange-server.js";
import { StreamServer } from "./support/stream-server.js";

// What is published, by the name users import it by. Its members have short names within, which must be the same in all its files.
const published = async <T>(entry: string): Promise<T> => (await import(`@perennial/client${entry}`)) as T;
const index = await published<typeof import("../src/index.js")>("");
const sse = await published<typeof import("../src/sse.js")>("/sse");
const websocket = await published<typeof import("../src/websocket.js")>("/websocket");
const httpStream = await published<typeof import("../src/http-stream.js")>("/http-stream");
const longPoll = await published<typeof import("../src/long-poll.js")>("/long-poll");
const auto = await published<typeof import("../src/auto.js")>("/auto");
const { anthropic, recognized } = await published<typeof import("../src/dialects.js")>("/dialects");
const { useSSE } = await published<typeof import("../src/react.js")>("/react");
const { createManager } = await published<typeof import("../src/manager.js")>("/manager");

const services = { WebSocket: WebSocket as unknown as NonNullable<TransportServices["WebSocket"]> };
const options = { services, interval: 0, reconnect: { initialDelay: 0 } } satisfies Partial<TransportOptions>;

for (const [name, { createTransport }] of Object.entries({ index, sse, websocket, httpStream, longPoll, auto })) {
  test(`As published, ${name} streams over cut connections, sends, tells of it and ends`, async () => {
    await using server = await new StreamServer({ heartbeat: 15 }).listen();
    const transport = createTransport({ ...options, url: server.url });
    const states = new Set<string>();
    transport.subscribe(({ state }) => states.add(state));
    const received: string[] = [];
    server.write("a", "b");
    for await (const message of transport) {
      received.push(message.data);
      if (received.length == 2) {
        server.cut();
        server.write("c", "d");
      }
      if (received.length == 4) {
        assert.equal(await transport.send("hello"), "acknowledged");
        server.end("completed");
      }
    }
    assert.deepEqual([received, server.taken], [["a", "b", "c", "d"], ["hello"]]);
    assert.deepEqual(await transport.completion, { reason: "completed" });
    assert.equal(transport.lastEventId, "e-5");
    assert.equal(transport.getMetrics().messagesReceived, 4);
    assert.ok(states.has("connected") && states.has("closed"));
  });
}

test("As published, dialects tell whole answers of a provider from others", async () => {
  const start = "event: message_start\ndata: {\"type\":\"message_start\"}\n\n";
  const answer = (body: string) => [{ status: 200, headers: { "content-type": "text/event-stream" }, body: start + body }];
  const endings = ["event: message_stop\ndata: {}\n\n", "", 'event: error\ndata: {"error":{"type":"overloaded_error"}}\n\n'];
  for (const { createTransport } of [index, sse]) {
    for (const dialect of [recognized, anthropic]) {
      const found: string[] = [];
      for (const ending of endings) {
        await using server = await serveAnswers(answer(ending), () => 0);
        const transport = createTransport({ ...options, url: server.url, body: "hello", dialect });
        await transport.read().next();
        const { reason, error } = await transport.completion;
        found.push(`${reason} ${error?.serverCode ?? ""}`.trim());
      }
      assert.deepEqual(found, ["completed", "interrupted", "failed overloaded_error"]);
    }
  }
});

test("As published, the adapters, the manager and the forms work together", async () => {
  await using server = await new StreamServer().listen();
  server.write("Hel", "lo");
  const Stream = () => {
    const { state, messages } = useSSE({ url: server.url });
    return createElement("p", null, `${state}: ${messages.map(({ data }) => data).join("")}`);
  };
  const element = root();
  const rendered = createRoot(element);
  await act(async () => rendered.render(createElement(Stream)));
  await act(() => shows(element, "connected: Hello"));
  await act(async () => rendered.unmount());

  const manager = createManager();
  const first = manager.createTransport({ ...options, transport: websocket.websocket, url: server.url });
  const { value } = await first.read().next();
  assert.equal(value?.data, "Hel");
  assert.equal(manager.getSummary().byState.connected, 1);
  await manager.destroy();

  assert.equal(sse.TransportError, websocket.TransportError);
  await assert.rejects(first.send("x"), (error) => error instanceof index.TransportError && error.code == "not-connected");
});

test("As published, every file has a map that holds its sources", () => {
  for (const name of ["", "shared/", "node/", "node/shared/"].flatMap((folder) => readdirSync(`dist/${folder}`).map((file) => folder + file)).filter((each) => each.endsWith(".js"))) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(`dist/${name}.map`, "utf8")) as { sources: string[]; sourcesContent: string[] };
    assert.ok(sourcesContent.length == sources.length && sourcesContent.every((content) => content.length > 0), name);
  }
});
