import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createMessage } from "../src/message.js";
import { createStore, type StreamView } from "../src/store.js";
import type { StreamMessage } from "../src/types.js";
import { ManualFrames } from "./support/frames.js";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";

const dataOf = ({ messages }: Pick<StreamView, "messages">) => messages.map(({ data }) => data);

/** A store of an open stream, which writes messages and shows a frame after them. */
async function opened(options: Parameters<typeof createStore>[1] = {}, listener: (view: StreamView) => void = () => {}) {
  const frames = new ManualFrames();
  const scripted = new Scripted();
  const store = createStore(scripted.transport, options);
  const end = store.subscribe(listener);
  await settled();
  const body = scripted.last.answer();
  await settled();
  frames.next();
  let written = 0;
  return {
    store, end, scripted, frames,
    async write(...data: string[]) {
      await this.arrive(...data);
      frames.next();
    },
    async arrive(...data: string[]) {
      body.write(data.map((each) => `data: ${each}\n\n`).join(""));
      written += data.length;
      for (let metrics; (metrics = scripted.transport.getMetrics()).messagesReceived < written || metrics.bufferSize > 0; ) await settled();
    },
    async [Symbol.asyncDispose]() {
      await scripted.transport.close();
      frames[Symbol.dispose]();
    },
  };
}

test("A look that ends at once opens nothing", async () => {
  const scripted = new Scripted();
  createStore(scripted.transport).subscribe(() => {})();
  await settled();
  assert.equal(scripted.requests.length, 0);
  assert.equal(scripted.transport.state, "idle");
});

test("A view that goes and comes back at once keeps its connection; one that stays away gives it up, and resumes", async () => {
  using frames = new ManualFrames();
  const scripted = new Scripted();
  const store = createStore(scripted.transport);
  let end = store.subscribe(() => {});
  await settled();
  scripted.last.answer().write("id: 4\ndata: x\n\n");
  await settled();
  end();
  await Promise.resolve();
  end = store.subscribe(() => {});
  await settled();
  assert.equal(scripted.transport.state, "connected");
  end();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await settled();
  assert.equal(scripted.transport.state, "closed");
  end = store.subscribe(() => {});
  await settled();
  assert.equal(scripted.requests.length, 2);
  assert.equal(scripted.last.headers.get("last-event-id"), "4");
  frames.next();
  assert.deepEqual(dataOf(store.getSnapshot()), ["x"]);
  await scripted.transport.close();
});

test("A stream that has ended is not asked for again", async () => {
  using frames = new ManualFrames();
  const scripted = new Scripted();
  const store = createStore(scripted.transport);
  const end = store.subscribe(() => {});
  await settled();
  scripted.last.answer().write("data: [DONE]\n\n");
  await settled();
  frames.next();
  end();
  await new Promise((resolve) => setTimeout(resolve, 5));
  store.subscribe(() => {});
  await settled();
  assert.equal(scripted.requests.length, 1);
  assert.equal(store.getSnapshot().end?.reason, "completed");
});

test("However many messages come, the view changes once a frame, is the same until then, and an older one stays as it was", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });      // none of the waits for a page that shows no frames ends
  const views: StreamView[] = [];
  await using stream = await opened({}, (view) => views.push(view));
  const before = views.length;
  const snapshot = stream.store.getSnapshot();
  await stream.arrive("1");
  await stream.write("2");
  assert.equal(views.length, before + 1);
  await stream.write("3");
  assert.equal(views.length, before + 2);
  assert.equal(stream.store.getSnapshot(), views.at(-1));
  assert.equal(stream.frames.isAsked, false);
  assert.deepEqual([snapshot, ...views.slice(-2)].map(dataOf), [[], ["1", "2"], ["1", "2", "3"]]);
  mock.timers.reset();
});

test("The messages of a view are the same array until there are others", async () => {
  await using stream = await opened();
  await stream.write("1");
  const { messages } = stream.store.getSnapshot();
  stream.scripted.transport.pause();
  stream.frames.next();
  assert.equal(stream.store.getSnapshot().paused, true);
  assert.equal(stream.store.getSnapshot().messages, messages);
});

test("A page that shows no frames is told all the same", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const views: StreamView[] = [];
  await using stream = await opened({}, (view) => views.push(view));
  stream.scripted.transport.pause();
  mock.timers.tick(1_000);
  assert.equal(stream.store.getSnapshot().paused, true);
  const { length } = views;
  stream.frames.next();      // the frame that did not come, late
  stream.scripted.transport.resume();
  stream.frames.next();
  mock.timers.tick(1_000);
  assert.deepEqual(views.slice(length - 1).map(({ paused }) => paused), [true, false]);
  mock.timers.reset();
});

test("All messages are kept by default", async () => {
  await using stream = await opened();
  const sent = Array.from({ length: 1_500 }, (_, number) => String(number));
  await stream.write(...sent);
  assert.deepEqual(dataOf(stream.store.getSnapshot()), sent);
  assert.equal(stream.store.getSnapshot().messagesDropped, 0);
});

test("A limit keeps the last messages and counts the others", async () => {
  for (const keep of [0, 3]) {
    await using stream = await opened({ keep });
    await stream.write("0", "1");
    for (let number = 2; number < 5_000; number += 100) await stream.write(...Array.from({ length: Math.min(100, 5_000 - number) }, (_, index) => String(number + index)));
    const { messages, messagesDropped } = stream.store.getSnapshot();
    assert.deepEqual(dataOf({ messages }), ["4997", "4998", "4999"].slice(3 - keep));
    assert.equal(messagesDropped, 5_000 - keep);
  }
});

test("A limit that is no limit is refused", () => {
  for (const keep of [-1, NaN]) assert.throws(() => createStore(new Scripted().transport, { keep }), { name: "RangeError", message: `keep must be a number from 0, not ${keep}.` });
});

test("The text is what each message adds to it", async () => {
  await using stream = await opened({ keep: 0, text: (message) => message.json<{ delta?: string }>().delta });
  await stream.write('{"delta":"Hel"}', "{}", '{"delta":"lo"}');
  assert.equal(stream.store.getSnapshot().text, "Hello");
});

/** How much processor time something took, in milliseconds. */
async function costOf(run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

test("60,000 messages from the network to a text cost less than a second of processor time", async (context) => {
  const scripted = new Scripted();
  const store = createStore(scripted.transport, { text: ({ data }) => data });
  let view = store.getSnapshot();
  const complete = new Promise<void>((resolve) => {
    store.subscribe((next) => {
      view = next;
      assert.ok(next.messages.length >= next.text.length / 5);
      if (next.end) resolve();
    });
  });
  await settled();
  const body = scripted.last.answer();
  const cost = await costOf(async () => {
    for (let number = 0; number < 60_000; number += 500) {
      body.write(Array.from({ length: 500 }, (_, index) => `id: ${number + index}\ndata: token\n\n`).join(""));
      await new Promise((resolve) => setImmediate(resolve));
    }
    body.write("data: [DONE]\n\n");
    await complete;
  });
  assert.equal(view.messages.length, 60_000);
  assert.equal(view.text, "token".repeat(60_000));
  context.diagnostic(`${Math.round(cost)} ms`);
  assert.ok(cost < 1_000, `${cost} ms`);
});

test("60,000 messages that come ten at a time cost a store less than a second of processor time", async (context) => {
  let give: (message: StreamMessage) => void = () => {};
  const { transport } = new Scripted();
  const store = createStore({
    ...transport,
    connect: () => new Promise<void>(() => {}),
    on: (_, handler) => (give = handler as typeof give, () => {}),
  }, { text: ({ data }) => data });
  let views = 0;
  store.subscribe(({ messages }) => (views += messages.length > 0 ? 1 : 0));
  await settled();
  const cost = await costOf(async () => {
    for (let number = 0; number < 60_000; number++) {
      give(createMessage("token"));
      if (number % 10 == 0) await new Promise((resolve) => setImmediate(resolve));
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(store.getSnapshot().messages.length, 60_000);
  assert.ok(views < 6_000, `${views} views`);
  context.diagnostic(`${Math.round(cost)} ms`);
  assert.ok(cost < 1_000, `${cost} ms`);
});

test("A listener that throws is logged, and hinders neither the others nor the stream", async (context) => {
  const logged = context.mock.method(console, "error", () => {});
  const failure = new Error("of the listener");
  await using stream = await opened({}, () => {
    throw failure;
  });
  const seen: string[][] = [];
  stream.store.subscribe((view) => seen.push(dataOf(view)));
  await stream.write("1");
  await stream.write("2");
  assert.deepEqual(seen.at(-1), ["1", "2"]);
  stream.end();
  assert.ok(logged.mock.calls.every(({ arguments: [error] }) => error === failure) && logged.mock.callCount() >= 3);
});

test("A store of a transport that is being read says so in its view, and leaves the reader alone", async () => {
  const scripted = new Scripted();
  const reader = scripted.transport.read();
  const first = reader.next();
  await settled();
  const body = scripted.last.answer();
  const store = createStore(scripted.transport);
  store.subscribe(() => {});
  await settled();
  const { state, error, end } = store.getSnapshot();
  assert.equal(state, "failed");
  assert.equal(end?.reason, "failed");
  assert.equal(error?.code, "not-connected");
  assert.match(error.message, /read elsewhere/);
  body.write("data: 1\n\n");
  assert.equal((await first).value?.data, "1");
  await scripted.transport.close();
});

test("Without a transport nothing has begun", async () => {
  const store = createStore(undefined);
  const views: StreamView<undefined>[] = [];
  store.subscribe((view) => views.push(view))();
  await settled();
  assert.deepEqual(views.map(({ state, messages, text, transport, end }) => ({ state, messages, text, transport, end })), [{ state: "idle", messages: [], text: "", transport: undefined, end: undefined }]);
  assert.equal(store.getSnapshot(), views[0]);
});
