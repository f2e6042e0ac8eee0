import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Connection, Protocol } from "../src/connection.js";
import { createClient } from "../src/client.js";
import { createMessage } from "../src/message.js";
import { createTransport } from "../src/sse.js";
import type { StreamEnd } from "../src/types.js";
import { record } from "./support/forms.js";
import { ManualClock, settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";

const endings = {
  done: (scripted: Scripted, again: () => void) => scripted.transport.on("done", again),
  closed: (scripted: Scripted, again: () => void) => scripted.transport.on("closed", again),
  subscribe: (scripted: Scripted, again: () => void) => scripted.transport.subscribe(({ end }) => end && again()),
};

for (const [from, listen] of Object.entries(endings)) {
  test(`connect() from ${from} begins a new session, and the old one ends with its own end`, async () => {
    const scripted = new Scripted();
    const { transport } = scripted;
    const { names } = record(transport);
    let isAgain = false;
    let next: Promise<StreamEnd> | undefined;
    listen(scripted, () => {
      if (isAgain) return;
      isAgain = true;
      void transport.connect().catch(() => {});
      next = transport.completion;
    });
    const first = transport.completion;
    transport.connect().catch(() => {});
    await settled();
    scripted.last.answer().end();
    await settled();
    assert.deepEqual(await within(first), { reason: "completed" });
    assert.equal(scripted.requests.length, 2);
    assert.equal(transport.state, "connecting");
    scripted.last.answer();
    await settled();
    assert.equal(transport.state, "connected");
    await within(transport.close());
    assert.deepEqual(await within(next!), { reason: "closed" });
    assert.deepEqual(names.filter((name) => name != "connected"), ["connecting", "done", "closed", "connecting", "closed"]);
  });
}

test("close() from the loop that reads, and connect() from closed, leave what was sent to the new session", async () => {
  const scripted = new Scripted();
  const { transport } = scripted;
  let sent: Promise<unknown> | undefined;
  transport.on("closed", () => {
    if (sent) return;
    transport.connect().catch(() => {});
    sent = transport.send("of the new session");
  });
  transport.connect().catch(() => {});
  await settled();
  scripted.last.answer().end();
  await settled();
  scripted.last.answer();
  await settled();
  assert.equal(scripted.last.method, "POST");
  scripted.last.answer(202);
  assert.equal(await within(sent!), "acknowledged");
  await transport.close();
});

test("A loop ends with its own session, though a handler began the next", async () => {
  const scripted = new Scripted();
  const { transport } = scripted;
  transport.on("closed", () => scripted.requests.length < 2 && void transport.connect().catch(() => {}));
  const reading = (async () => {
    for await (const message of transport) void message;
  })();
  await settled();
  scripted.last.answer().end();
  await within(reading);
  assert.equal(transport.state, "connecting");
  await transport.close();
});

test("connect() while reconnecting settles at the next connection", async () => {
  const scripted = new Scripted({ reconnect: { jitter: false } });
  const { transport } = scripted;
  transport.connect().catch(() => {});
  await settled();
  const body = scripted.last.answer();
  await settled();
  body.break();
  await settled();
  let isConnected = false;
  const again = transport.connect().then(() => (isConnected = true));
  await settled();
  assert.equal(isConnected, false);
  await scripted.clock.advance(1000);
  scripted.last.answer();
  await within(again);
  assert.equal(transport.state, "connected");
  await transport.close();
});

/** A form that hears no signal: what it awaits never ends. */
function deaf(what: "open" | "read"): Protocol {
  const never = new Promise<never>(() => {});
  const connection: Connection = {
    marksEnd: false, repeatsSends: () => false, bytes: 0,
    read: () => never, classify: () => "message", canResume: () => true, send: () => never, stop: () => never, close() {},
  };
  return { kind: "deaf", create: () => () => (what == "open" ? never : Promise.resolve(connection)) };
}

for (const what of ["open", "read"] as const) {
  test(`close() does not wait for a form whose ${what} hears no signal`, async () => {
    const clock = new ManualClock();
    const transport = createClient(deaf(what), { url: "http://x.test/", services: clock.services });
    transport.connect().catch(() => {});
    await settled();
    const closing = transport.close();
    await clock.advance(0);
    await within(closing);
    assert.equal(transport.state, "closed");
    assert.equal(clock.pending, 0);
  });
}

// A fetch of Node never settles a read that begins after its signal aborted, where the answer had arrived whole and was not read to its end.
test("Once a transport is closed nothing is read any more, whoever closed it and whatever the loop was waiting for", async () => {
  for (const how of ["paused", "by a listener", "by a handler"]) {
    const reads: boolean[] = [];
    const message = createMessage("one", "1");
    const protocol: Protocol = {
      kind: "counted",
      create: () => async ({ signal }) => ({
        marksEnd: false, repeatsSends: () => false, bytes: 0, canResume: () => true, classify: () => "message", send: async () => "sent", stop: async () => {}, close() {},
        async read() {
          reads.push(signal.aborted);
          return [{ message, id: "1" }];
        },
      }),
    };
    const transport = createClient(protocol, { url: "http://x.test/", buffer: { capacity: 10 } });
    const close = () => void transport.close();
    if (how == "by a listener") transport.subscribe(({ messagesReceived }) => messagesReceived && close());
    if (how == "by a handler") transport.on("event", close);
    await transport.connect();
    if (how == "paused") {
      transport.pause();
      await settled();
      close();
    }
    await within(transport.completion);
    assert.equal(reads.includes(true), false, how);
  }
});

test("A paused transport is closed although its answer has arrived whole and was not read", async () => {
  let isWritten = false;
  const server = createServer(async (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let id = 1; id <= 20; id++) {
      response.write(`id: ${id}\ndata: ${id}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    response.end(() => (isWritten = true));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const transport = createTransport({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, buffer: { capacity: 10 } });
  await transport.connect();
  transport.pause();
  while (!isWritten) await settled();
  await transport.close();
  assert.equal(transport.state, "closed");
  server.close();
});

test("A stop that the server does not answer ends with the transport, and after the time to connect", async () => {
  for (const how of ["close", "time"]) {
    const scripted = new Scripted();
    const { transport } = scripted;
    transport.connect().catch(() => {});
    await settled();
    scripted.last.answer(200, { "perennial-protocol": "1" });
    await settled();
    const stopping = assert.rejects(transport.stop(), { code: how == "close" ? "not-connected" : "connect-timeout" });
    await settled();
    assert.equal(scripted.last.method, "DELETE");
    if (how == "close") await transport.close();
    else await scripted.clock.advance(30_000);
    await within(stopping);
    await transport.close();
    assert.equal(scripted.clock.pending, 0);
  }
});

test("A loop that is left while it waits settles, and leaves the stream; leaving between messages keeps it", async () => {
  const scripted = new Scripted();
  const { transport } = scripted;
  const messages = transport.read();
  const waiting = messages.next();
  await settled();
  const body = scripted.last.answer();
  body.write("id: 1\ndata: one\n\n");
  assert.equal((await waiting).value?.data, "one");
  await messages.return();
  assert.equal(transport.state, "connected");
  const later = transport.read();
  const next = later.next();
  await settled();
  assert.deepEqual(await within(later.return()), { value: undefined, done: true });
  assert.deepEqual(await within(next), { value: undefined, done: true });
  assert.deepEqual(await within(transport.completion), { reason: "closed" });
  assert.equal(scripted.last.signal.aborted, true);
});

test("Cancelling a ReadableStream made of a transport leaves the stream", async () => {
  const scripted = new Scripted();
  const stream = (ReadableStream as unknown as { from(source: unknown): ReadableStream }).from(scripted.transport);
  const reader = stream.getReader();
  const reading = reader.read();
  await settled();
  scripted.last.answer();
  await settled();
  await within(reader.cancel());
  assert.equal((await within(reading)).done, true);
  assert.deepEqual(await within(scripted.transport.completion), { reason: "closed" });
});

/** Fails where something that needs no time is not there. */
async function within<T>(promise: Promise<T>): Promise<T> {
  const pending = Symbol("pending");
  const result = await Promise.race([promise, settled().then(() => pending)]);
  assert.notEqual(result, pending, "still pending");
  return result as T;
}
