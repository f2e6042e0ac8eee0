import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { WebSocket as ClientSocket, WebSocketServer, type WebSocket } from "ws";
import type { TransportServices, WebSocketLike } from "../src/types.js";
import { connectTo, readAll } from "./support/forms.js";

interface Behavior {
  /** Whether the server takes the first subprotocol that is offered, as `ws` does unless told otherwise; or else none. Default true. */
  repeats?: boolean;
  /** The status that refuses the handshake; 0: it is accepted. */
  status?(request: IncomingMessage): number;
  speak?(socket: WebSocket): void;
}

/** A server whose WebSocket accepts every path and repeats the first subprotocol, as `ws` does, beside a stream of server-sent events. */
async function serve({ repeats = true, status, speak }: Behavior) {
  const requests: IncomingMessage[] = [];
  const sockets = new WebSocketServer({ noServer: true, ...(!repeats && { handleProtocols: () => false as const }) });
  const server = createServer((request, response) => {
    requests.push(request);
    response.writeHead(200, { "content-type": "text/event-stream" }).end("data: the stream\n\n");
  });
  server.on("upgrade", (request, socket, head) => {
    requests.push(request);
    const refused = status?.(request);
    if (refused) return void socket.end(`HTTP/1.1 ${refused} No\r\nContent-Length: 0\r\n\r\n`);
    sockets.handleUpgrade(request, socket, head, (webSocket) => speak?.(webSocket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`,
    requests,
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}

test("auto: a WebSocket without perennial.v1 is not the stream of an http URL, unless the caller names subprotocols", async () => {
  // Plain sockets like that of a browser: that of `ws` refuses an answer that names none of the subprotocols.
  class PlainSocket extends ClientSocket {
    constructor(url: URL, _: unknown, options?: object) {
      super(url, [], options);
    }
  }
  await using server = await serve({ repeats: false, speak: (socket) => socket.send("Welcome to the chat!") });
  const services = { WebSocket: PlainSocket as unknown as NonNullable<TransportServices["WebSocket"]> };
  const transport = connectTo("auto", server.url, { services, reconnect: false });
  assert.deepEqual(await readAll(transport), ["the stream"]);
  assert.equal(transport.kind, "sse");
  await using another = await serve({ repeats: false, speak: (socket) => socket.send("Welcome to the chat!") });      // what worked is remembered by origin
  const chosen = connectTo("auto", another.url, { services, protocols: [], reconnect: false });
  const { value } = await chosen.read().next();
  assert.deepEqual([value?.data, chosen.kind], ["Welcome to the chat!", "websocket"]);
  await chosen.close();
});

const strangers: Record<string, Behavior["speak"]> = {
  "welcomes everybody": (socket) => socket.send("Welcome to the chat!"),
  "speaks of other things in JSON": (socket) => socket.send('{"type":"welcome","data":1}'),
  "says nothing": () => {},
  "leaves at once": (socket) => socket.close(1000),
};

for (const [what, speak] of Object.entries(strangers)) {
  test(`auto: a WebSocket beside the stream that accepts every path and ${what} is not the stream`, async () => {
    await using server = await serve(speak ? { speak } : {});
    const transport = connectTo("auto", server.url, { probeTimeout: what == "says nothing" ? 1_000 : 10_000, reconnect: false });
    assert.deepEqual(await readAll(transport), ["the stream"]);
    assert.equal(transport.kind, "sse");
  });
}

test("websocket: a peer that repeats perennial.v1 and does not speak it is a protocol violation", async () => {
  await using server = await serve({ speak: (socket) => socket.send("Welcome to the chat!") });
  await assert.rejects(readAll(connectTo("websocket", server.url)), { code: "protocol-violation" });
});

test("A handshake that is refused with 401 is final, with its status, after fresh credentials were asked for once", async () => {
  await using server = await serve({ status: () => 401 });
  await assert.rejects(connectTo("websocket", server.url).connect(), { code: "http-status", status: 401 });
  assert.equal(server.requests.length, 1);
  const asked: boolean[] = [];
  const configureRequest = (_: unknown, { rejected }: { rejected: boolean }) => void asked.push(rejected);
  await assert.rejects(connectTo("websocket", server.url, { configureRequest }).connect(), { status: 401 });
  assert.deepEqual(asked, [false, true]);
});

test("A handshake that is refused with 503 is tried again", async () => {
  let refusals = 2;
  await using server = await serve({
    status: () => (refusals-- > 0 ? 503 : 0),
    speak: (socket) => {
      socket.send('{"type":"perennial.hello","data":{}}');
      socket.send('{"id":"e-1","type":"perennial.completed","data":"[DONE]"}');
    },
  });
  assert.deepEqual(await readAll(connectTo("websocket", server.url)), []);
  assert.equal(server.requests.length, 3);
});

test("The reason of a close stands in the error", async () => {
  await using server = await serve({ speak: (socket) => {
    socket.send('{"type":"perennial.hello","data":{}}');
    socket.close(4403, "not your stream");
  } });
  await assert.rejects(readAll(connectTo("websocket", server.url)), { code: "closed-by-peer", closeCode: 4403, serverMessage: "not your stream" });
});

test("Headers, those of configureRequest and credentials of the URL go with the handshake in Node", async () => {
  await using server = await serve({ status: () => 403 });
  const url = server.url.replace("http://", "http://me:secret@");
  const options = { headers: { "x-tenant": "7" }, configureRequest: ({ headers }: { headers: Headers }) => headers.set("x-token", "t") };
  await assert.rejects(connectTo("websocket", url, options).connect(), { status: 403 });
  const { "x-tenant": tenant, "x-token": token, authorization } = server.requests[0]!.headers;
  assert.deepEqual([tenant, token, authorization], ["7", "t", `Basic ${btoa("me:secret")}`]);
});

test("Where a WebSocket can send no headers it is refused, and auto takes a form that can", async () => {
  const inBrowsers = (await import(pathToFileURL("dist/index.js").href)) as typeof import("../src/index.js");
  await using server = await serve({ status: () => 500 });
  let sockets = 0;
  class BrowserSocket {
    constructor() {
      sockets++;
    }
  }
  const services = { WebSocket: BrowserSocket as unknown as new () => WebSocketLike } as Partial<TransportServices>;
  const options = { url: server.url, headers: { "x-tenant": "7" }, services };
  await assert.rejects(inBrowsers.createTransport({ ...options, transport: "websocket" }).connect(), /sends no headers here/);
  assert.equal(sockets, 0);
  const transport = inBrowsers.createTransport(options);
  assert.deepEqual(await readAll(transport), ["the stream"]);
  assert.equal(server.requests[0]!.headers["x-tenant"], "7");
});

test("An error event alone ends the attempt, as a content security policy has it", async () => {
  class RefusedSocket {
    onerror = (_: object) => {};
    readyState = 0;
    constructor() {
      queueMicrotask(() => this.onerror({ type: "error" }));
    }
    close() {}
  }
  const services = { WebSocket: RefusedSocket as unknown as new () => WebSocketLike } as Partial<TransportServices>;
  await assert.rejects(connectTo("websocket", "http://x.test/", { services, reconnect: false }).connect(), { code: "connect-failed" });
});
