import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import type { TransportServices } from "../src/types.js";
import { connectTo, readAll, record } from "./support/forms.js";
import { ManualClock, settled } from "./support/manual-clock.js";
import { StreamServer } from "./support/stream-server.js";

/** A server that does with each socket what the test says. */
async function serve(speak: (socket: WebSocket, url: string) => void, protocols = true): Promise<AsyncDisposable & { url: string }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: (offered) => (protocols ? ([...offered][0] ?? false) : false) });
  server.on("connection", (socket, request) => {
    socket.on("error", () => {});
    speak(socket, request.url!);
  });
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/stream`,
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

const say = (socket: WebSocket, ...messages: object[]) => messages.forEach((message) => socket.send(JSON.stringify(message)));
const hello = { type: "perennial.hello", data: { heartbeat: 15 } };
const completed = { id: "e-9", type: "perennial.completed", data: "[DONE]" };

test("Plain messages: text and bytes, a close with 1000 is the end", async () => {
  await using server = await serve((socket) => {
    socket.send("one");
    socket.send(Buffer.from([1, 2, 3]));
    socket.on("message", (data) => {
      socket.send(`echo ${String(data)}`);
      socket.close(1000);
    });
  });
  const transport = connectTo("websocket", server.url, { protocols: [] });
  const reading = transport.read();
  assert.equal((await reading.next()).value?.data, "one");
  assert.deepEqual([...(await reading.next()).value!.binary!], [1, 2, 3]);
  assert.equal(await transport.send("hi"), "sent");
  assert.equal((await reading.next()).value?.data, "echo hi");
  assert.equal((await reading.next()).done, true);
  assert.deepEqual(await transport.completion, { reason: "completed" });
});

test("Done in a larger object is data of the application", async () => {
  await using server = await serve((socket) => {
    say(socket, { task: "t1", done: true }, { done: true, text: "x" }, { done: true });
  });
  const transport = connectTo("websocket", server.url, { protocols: [] });
  assert.deepEqual(await readAll(transport), ['{"task":"t1","done":true}', '{"done":true,"text":"x"}', '{"done":true}']);
  assert.deepEqual(await transport.completion, { reason: "completed" });
});

test("Under perennial.v1 a close without an end event is a cut, whatever its code", async () => {
  let connections = 0;
  await using server = await serve((socket, url) => {
    say(socket, hello);
    if (connections++ == 0) {
      say(socket, { id: "e-1", data: "a" });
      socket.close(1000);
    } else {
      assert.equal(url, "/stream?lastEventId=e-1");
      say(socket, { id: "e-2", data: "b" }, completed);
    }
  });
  assert.deepEqual(await readAll(connectTo("websocket", server.url)), ["a", "b"]);
});

for (const [code, isFinal] of [[1002, true], [1003, true], [1008, true], [1011, false], [1012, false], [3000, true], [3003, true], [4000, false], [4401, true], [4404, true], [4408, false], [4429, false]] as const) {
  test(`Close code ${code} ${isFinal ? "is final" : "is worth another attempt"}`, async () => {
    let connections = 0;
    await using server = await serve((socket) => {
      say(socket, hello);
      if (connections++ == 0) socket.close(code);
      else say(socket, completed);
    });
    const transport = connectTo("websocket", server.url);
    await readAll(transport).catch(() => {});
    const end = await transport.completion;
    assert.equal(end.reason, isFinal ? "failed" : "completed");
    if (isFinal) assert.equal(end.error?.closeCode, code);
  });
}

test("The cursor of the greeting counts where none was asked for", async () => {
  const urls: string[] = [];
  await using server = await serve((socket, url) => {
    urls.push(url);
    say(socket, { type: "perennial.hello", data: { heartbeat: 15, cursor: `e-${4 + urls.length}` } });
    if (urls.length == 3) say(socket, completed);
    else socket.terminate();
  });
  await readAll(connectTo("websocket", server.url));
  assert.deepEqual(urls, ["/stream", "/stream?lastEventId=e-5", "/stream?lastEventId=e-5"]);
});

test("Bytes, JSON and text arrive as they are; a refused message is told, and the next one goes on", async () => {
  const taken: unknown[] = [];
  await using server = await serve((socket) => {
    say(socket, hello);
    socket.on("message", (raw: Buffer) => {
      const message = JSON.parse(raw.toString()) as { type: string; number: number; data?: unknown; binary?: string };
      if (message.type == "perennial.sender") return say(socket, { type: "perennial.ack", data: { received: 0 } });
      taken.push(message.binary ?? message.data);
      if (message.data == "too long") say(socket, { type: "perennial.refused", data: { number: message.number, code: "payload_too_large", message: "no" } });
      else say(socket, { type: "perennial.ack", data: { received: message.number } });
    });
  });
  const transport = connectTo("websocket", server.url);
  const results = await Promise.allSettled([transport.send(new Uint8Array([0, 1, 255])), transport.sendJson({ a: 1 }), transport.sendJson("text"), transport.send("too long"), transport.send("last")]);
  await transport.send("after");      // by now whatever was sent again would be here
  assert.deepEqual(taken, ["AAH/", { a: 1 }, '"text"', "too long", "last", "after"]);
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "fulfilled", "fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual(pick((results[3] as PromiseRejectedResult).reason as object), { code: "send-rejected", serverCode: "payload_too_large", delivery: "not-sent" });
  await transport.close();
});

test("A server that has forgotten the sender: what was open is unknown, and what follows arrives once under a new name", async () => {
  const names: string[] = [];
  const taken: string[] = [];
  await using server = await serve((socket) => {
    say(socket, hello);
    socket.on("message", (raw: Buffer) => {
      const message = JSON.parse(raw.toString()) as { type: string; number: number; data: string & { id: string } };
      if (message.type == "perennial.sender") {
        names.push(message.data.id);
        return say(socket, { type: "perennial.ack", data: { received: 0 } });
      }
      taken.push(`${message.number} ${message.data}`);
      if (message.data == "open") socket.terminate();
      else say(socket, { type: "perennial.ack", data: { received: message.number } });
    });
  });
  const transport = connectTo("websocket", server.url);
  await transport.send("first");
  await assert.rejects(transport.send("open"), { delivery: "unknown" });
  await transport.send("next");
  assert.deepEqual(taken, ["1 first", "2 open", "1 next"]);
  assert.equal(names.length, 3);
  assert.equal(names[0], names[1]);
  assert.notEqual(names[1], names[2]);
  assert.match(names[2]!, /^[\w-]{22}$/);
  await transport.close();
});

test("A request to stop that is cut off is made again; one that is refused is told", async () => {
  let asked = 0;
  await using server = await serve((socket) => {
    say(socket, hello);
    socket.on("message", () => {
      asked++;
      if (asked == 1) socket.terminate();
      else if (asked == 2) say(socket, { type: "perennial.refused", data: { request: "stop", code: "forbidden", message: "no" } });
      else say(socket, { id: "e-1", type: "perennial.stopped", data: "[DONE]" });
    });
  });
  const transport = connectTo("websocket", server.url);
  await transport.connect();
  await assert.rejects(transport.stop(), { code: "send-rejected", serverCode: "forbidden" });
  await transport.stop();
  assert.deepEqual(await transport.completion, { reason: "stopped" });
  assert.equal(asked, 3);
});

test("A message that is too large ends the stream behind the good ones, and nothing after it counts", async () => {
  await using server = await serve((socket) => say(socket, hello, { id: "e-1", data: "a" }, { id: "e-2", data: "x".repeat(5000) }, { id: "e-3", data: "c" }));
  const received: string[] = [];
  const transport = connectTo("websocket", server.url, { maxMessageLength: 1000 });
  await assert.rejects(async () => {
    for await (const { data } of transport) received.push(data);
  }, { code: "message-too-large" });
  assert.deepEqual(received, ["a"]);
  assert.equal(transport.lastEventId, "e-1");
});

test("A message taken back after it left is repeated all the same, so that the numbers have no hole", async () => {
  const taken: string[] = [];
  let connections = 0;
  await using server = await serve((socket) => {
    say(socket, hello);
    const isFirst = connections++ == 0;
    socket.on("message", (raw: Buffer) => {
      const message = JSON.parse(raw.toString()) as { type: string; number: number; data: string };
      if (message.type == "perennial.sender") return say(socket, { type: "perennial.ack", data: { received: 0 } });
      taken.push(`${message.number} ${message.data}`);
      if (!isFirst) say(socket, { type: "perennial.ack", data: { received: message.number } });
    });
    if (isFirst) first = socket;
  });
  let first!: WebSocket;
  const transport = connectTo("websocket", server.url);
  const taking = new AbortController();
  const back = assert.rejects(transport.send("taken back", { signal: taking.signal }), { name: "AbortError" });
  while (!taken.length) await new Promise((resolve) => setTimeout(resolve, 1));
  taking.abort();
  await back;
  first.terminate();
  assert.equal(await transport.send("next"), "acknowledged");
  assert.deepEqual(taken, ["1 taken back", "1 taken back", "2 next"]);
  await transport.close();
});

test("A numbered send that has no answer in time is unknown; answers and the end of the connection leave no timer", async () => {
  const clock = new ManualClock();
  const peer = new EventTarget();
  let socket: WebSocket | undefined;
  await using server = await serve((accepted) => {
    socket = accepted;
    say(socket, hello);
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as { type: string; data: { next: number } };
      if (message.type == "perennial.sender") say(accepted, { type: "perennial.ack", data: { received: message.data.next - 1 } });
      else peer.dispatchEvent(new Event("send"));
    });
  });
  const transport = connectTo("websocket", server.url, { send: { timeout: 5_000 }, services: clock.services });
  await transport.connect();
  const before = clock.pending;
  const reached = () => once(peer, "send");

  const answered = transport.send("a");
  await reached();
  assert.equal(clock.pending, before + 1);
  say(socket!, { type: "perennial.ack", data: { received: 1 } });
  assert.equal(await answered, "acknowledged");
  assert.equal(clock.pending, before);

  const late = assert.rejects(transport.send("b"), { code: "send-timeout", delivery: "unknown" });
  await reached();
  await clock.advance(5_000);
  await late;

  const open = assert.rejects(transport.send("c"), { code: "not-connected", delivery: "unknown" });
  await reached();
  let isRepeated = false;
  void reached().then(() => (isRepeated = true));
  socket!.terminate();
  while (!isRepeated) await clock.advance(0);
  assert.equal(clock.pending, before + 1);

  const left = once(socket!, "close");
  await Promise.all([open, transport.close(), left]);
  await clock.advance(2_000);      // what is left to the goodbye
  assert.equal(clock.pending, 0);
});

test("Plain sends are not repeated once they may have left", async () => {
  await using server = await serve(() => {});
  const transport = connectTo("websocket", server.url, { protocols: [] });
  await transport.connect();
  assert.equal(await transport.send("x"), "sent");
  await transport.close();
  await assert.rejects(transport.send("y"), { code: "not-connected", delivery: "not-sent" });
});

/** A WebSocket as a browser's: it cannot be paused. */
class BrowserSocket extends WebSocket {}
Object.assign(BrowserSocket.prototype, { pause: undefined, resume: undefined });

test("A reader that falls behind on a socket that cannot be paused loses nothing, and memory stays bounded", async () => {
  await using server = await new StreamServer({ batch: 100 }).listen();
  const expected = Array.from({ length: 3000 }, (_, index) => `token ${index}`);
  server.write(...expected);
  server.end("completed");
  const transport = connectTo("websocket", server.url, {
    buffer: { capacity: 50 },
    services: { WebSocket: BrowserSocket as unknown as NonNullable<TransportServices["WebSocket"]> },
  });
  const { details } = record(transport);
  const received: string[] = [];
  for await (const { data } of transport) {
    received.push(data);
    if (received.length % 10 == 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.deepEqual(received, expected);
  assert.ok(details.some((each) => (each["error"] as { code?: string } | undefined)?.code == "overrun"));
  assert.ok(server.requests.length > 2);
});

test("Three announced heartbeats of silence lose the connection, and a heartbeat is a sign of life", async () => {
  const sockets: WebSocket[] = [];
  await using server = await serve((socket) => {
    sockets.push(socket);
    say(socket, hello);
  });
  const clock = new ManualClock();
  const transport = connectTo("websocket", server.url, { services: clock.services });
  const { details } = record(transport);
  await transport.connect();
  await clock.advance(44_000);
  say(sockets[0]!, { type: "perennial.heartbeat" });
  while (transport.getMetrics().bytesReceived == 0) await settled();
  await clock.advance(44_000);
  assert.equal(transport.state, "connected");
  await clock.advance(2_000);
  assert.equal((details.find((each) => "error" in each)?.["error"] as { code: string }).code, "idle-timeout");
  await transport.close();
});

test("A server of plain messages is asked for a sign of life, and answered when it asks", async () => {
  const asked: string[] = [];
  await using server = await serve((socket) => {
    socket.on("message", (data) => {
      asked.push(String(data));
      if (asked.length == 1) {
        socket.send('{"type":"pong"}');
        socket.send('{"type":"ping"}');
      }
    });
  });
  const clock = new ManualClock();
  const transport = connectTo("websocket", server.url, { protocols: [], heartbeat: { interval: 1000, timeout: 500 }, services: clock.services });
  await transport.connect();
  await clock.advance(1000);
  while (asked.length < 2) await settled();
  assert.deepEqual(asked, ['{"type":"ping"}', '{"type":"pong"}']);
  assert.equal(transport.getMetrics().messagesReceived, 0);
  await transport.close();
});

test("A handshake without an answer is tried again; a refusal says its status; without a WebSocket at all it is final", async () => {
  await using server = await new StreamServer({ noWebSocket: true }).listen();
  const transport = connectTo("websocket", server.url, { reconnect: { maxAttempts: 2 } });
  await assert.rejects(transport.connect(), { code: "http-status", status: 404 });
  assert.equal(server.requests.length, 1);
  const gone = connectTo("websocket", "http://127.0.0.1:1/", { reconnect: { maxAttempts: 2 } });
  await assert.rejects(gone.connect(), { code: "attempts-exhausted" });
  assert.equal(gone.getMetrics().errors, 3);
  const none = connectTo("websocket", server.url, { services: { WebSocket: undefined as never } });
  await assert.rejects(none.connect(), { code: "connect-failed" });
});

const pick = ({ code, serverCode, delivery }: { code?: unknown; serverCode?: unknown; delivery?: unknown }) => ({ code, serverCode, delivery });
