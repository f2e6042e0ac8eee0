import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connectTo, readAll, record } from "./support/forms.js";
import { StreamServer } from "./support/stream-server.js";

test("Takes a WebSocket where there is one, and remembers it for the origin", async () => {
  await using server = await new StreamServer().listen();
  server.write("one");
  server.end("completed");
  const transport = connectTo("auto", server.url);
  assert.deepEqual(await readAll(transport), ["one"]);
  assert.equal(transport.kind, "websocket");
});

test("Falls through to SSE where WebSockets are filtered, and asks for SSE first the next time", async () => {
  await using server = await new StreamServer({ noWebSocket: true }).listen();
  server.write("one");
  server.end("completed");
  const first = connectTo("auto", server.url);
  assert.deepEqual(await readAll(first), ["one"]);
  assert.equal(first.kind, "sse");
  assert.equal(server.requests.length, 2);
  await readAll(connectTo("auto", server.url));
  assert.equal(server.requests.length, 3);
});

/** Hands an answer on when it is whole, which a stream that goes on never is. */
async function bufferingProxy(server: StreamServer, passesHead: boolean) {
  const proxy = createServer(async (request, response) => {
    const leave = new AbortController();
    response.on("close", () => leave.abort());
    try {
      const answer = await fetch(`http://127.0.0.1:${server.port}${request.url}`, { headers: request.headers as Record<string, string>, signal: leave.signal });
      response.writeHead(answer.status, Object.fromEntries([...answer.headers].filter(([name]) => !/^(transfer-encoding|connection|keep-alive|content-length)$/.test(name))));
      if (passesHead) response.flushHeaders();
      response.end(Buffer.from(await answer.arrayBuffer()));
    } catch {
      response.destroy();
    }
  });
  proxy.on("upgrade", (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/streams/one`,
    async [Symbol.asyncDispose]() {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}

for (const [what, passesHead] of [["bodies", true], ["heads as well", false]] as const) {
  test(`Falls through to long polling behind a proxy that holds ${what} back, within one attempt`, async () => {
    await using server = await new StreamServer({ noWebSocket: true }).listen();
    server.write("one", "two");
    await using proxy = await bufferingProxy(server, passesHead);
    const transport = connectTo("auto", proxy.url, { probeTimeout: 100 });
    const { names } = record(transport);
    const reading = transport.read();
    assert.equal((await reading.next()).value?.data, "one");
    assert.equal(transport.kind, "long-poll");
    assert.equal((await reading.next()).value?.data, "two");
    await transport.close();
    assert.deepEqual(names, ["connecting", "connected", "closed"]);
  });
}

test("No form takes so much of the time to connect that the others have none", async () => {
  await using server = await new StreamServer({ noWebSocket: true }).listen();
  server.write("one");
  await using proxy = await bufferingProxy(server, false);
  const transport = connectTo("auto", proxy.url, { connectTimeout: 2_000 });
  assert.equal((await transport.read().next()).value?.data, "one");
  assert.equal(transport.kind, "long-poll");
  await transport.close();
});

test("A poll that the server holds is no form that fails", async () => {
  await using server = await new StreamServer({ noWebSocket: true, holdMilliseconds: 60_000 }).listen();
  server.write("one");
  await using proxy = await bufferingProxy(server, false);
  const first = connectTo("auto", proxy.url, { probeTimeout: 100 });
  await first.read().next();
  await first.close();
  const second = connectTo("auto", proxy.url, { probeTimeout: 100, lastEventId: "e-1" });
  await second.connect();
  assert.equal(second.kind, "long-poll");
  server.write("two");
  assert.equal((await second.read().next()).value?.data, "two");
  await second.close();
});

test("A POST takes a form that has a body", async () => {
  await using server = await new StreamServer().listen();
  const transport = connectTo("auto", server.url, { body: "prompt" });
  await assert.rejects(transport.connect());
  assert.ok(server.requests.every(({ method }) => method == "POST"));
});

test("A refusal is a refusal in every form", async () => {
  let requests = 0;
  const server = createServer(({ headers }, response) => {
    if (!headers.upgrade) requests++;
    response.writeHead(403).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await assert.rejects(connectTo("auto", `http://127.0.0.1:${(server.address() as AddressInfo).port}/`).connect(), { status: 403 });
  assert.equal(requests, 1);
  server.close();
  server.closeAllConnections();
});
