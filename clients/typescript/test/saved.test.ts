import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransport } from "../src/sse.js";
import type { StreamOptions } from "../src/store.js";
import { openStore } from "../src/stream-store.js";
import type { Transport, TransportOptions } from "../src/types.js";
import { ManualFrames } from "./support/frames.js";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";
import { FakeSession } from "./support/session-storage.js";

const request = { url: "https://example.com/api/chat", body: { prompt: "Hamlet?" }, saveAs: "answer", text: ({ data }: { data: string }) => data };
const answered = { "content-location": "/streams/7" };

/** One life of a page that shows the stream. */
async function page(options: Partial<TransportOptions & StreamOptions> = {}) {
  const frames = new ManualFrames();
  let scripted!: Scripted;
  const create = (given: TransportOptions): Transport => (scripted = new Scripted(given, createTransport)).transport;
  const store = openStore(create, { ...request, ...options });
  const end = store.subscribe(() => {});
  await settled();
  return {
    get requests() { return scripted.requests.map(({ method, url, headers }) => `${method} ${new URL(url).pathname} ${headers.get("last-event-id") ?? ""}`.trim()); },
    get key() { return scripted.last.headers.get("idempotency-key"); },
    answer: () => scripted.last.answer(200, answered),
    store,
    end,
    texts() {
      frames.next();
      return store.getSnapshot().messages.map(({ data }) => data);
    },
    async gone() {
      await scripted.transport.close();
      await settled();
      frames[Symbol.dispose]();
    },
  };
}

test("A page that is reloaded in mid-answer shows what it showed, goes on, and posts nothing again", async () => {
  using session = new FakeSession();
  const first = await page();
  const body = first.answer();
  body.write("id: 1\nevent: token\ndata: To \n\nid: 2\ndata: be\n\n");
  await settled();
  session.leavePage();
  await first.gone();

  const second = await page();
  assert.deepEqual(second.requests, ["GET /streams/7 2"]);
  second.answer().write("id: 3\ndata:  or not.\n\ndata: [DONE]\n\n");
  await settled();
  assert.deepEqual(second.texts(), ["To ", "be", " or not."]);
  const { text, messages, end } = second.store.getSnapshot();
  assert.equal(text, "To be or not.");
  assert.deepEqual([messages[0]!.type, messages[0]!.id, messages[0]!.followsGap, end?.reason], ["token", "1", false, "completed"]);
  session.leavePage();
  await second.gone();

  const third = await page();
  assert.deepEqual([third.requests, third.texts(), third.store.getSnapshot().end?.reason, third.store.getSnapshot().state], [[], ["To ", "be", " or not."], "completed", "closed"]);
  await third.gone();
});

test("A page that ended without saying so reads the answer from its beginning", async () => {
  using _ = new FakeSession();
  const first = await page();
  first.answer().write("id: 1\ndata: one\n\n");
  await settled();
  await first.gone();
  const second = await page();
  assert.deepEqual([second.requests, second.texts()], [["GET /streams/7"], []]);
  await second.gone();
});

test("What does not fit into the storage, or is bytes, is read again from the beginning", async () => {
  using session = new FakeSession(250);
  const first = await page({ lastEventId: "0" });
  first.answer().write(`id: 1\ndata: ${"long ".repeat(100)}\n\n`);
  await settled();
  session.leavePage();
  await first.gone();
  const second = await page({ lastEventId: "0" });
  assert.deepEqual(second.requests, ["GET /streams/7 0"]);
  await second.gone();
});

test("A page that is reloaded before the answer came asks again with the same key", async () => {
  using _ = new FakeSession();
  const first = await page();
  assert.match(first.key!, /^".+"$/);
  await first.gone();
  const second = await page();
  assert.deepEqual([second.requests, second.key], [["POST /api/chat"], first.key]);
  await second.gone();
});

test("Another request under the same name begins anew", async () => {
  using session = new FakeSession();
  const first = await page();
  first.answer().write("id: 1\ndata: one\n\n");
  await settled();
  session.leavePage();
  await first.gone();
  for (const other of [{ body: { prompt: "Macbeth?" } }, { key: 2 }, { url: "https://example.com/api/other" }]) {
    const second = await page(other);
    assert.deepEqual([second.requests.map((each) => each.split(" ")[0]), second.texts()], [["POST"], []]);
    assert.notEqual(second.key, first.key);
    await second.gone();
  }
});

test("A view that goes and comes back goes on where it was", async () => {
  using _ = new FakeSession();
  const first = await page();
  first.answer().write("id: 1\ndata: one\n\n");
  await settled();
  first.end();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await first.gone();
  const second = await page();
  assert.deepEqual([second.requests, second.texts()], [["GET /streams/7 1"], ["one"]]);
  await second.gone();
});

test("What stands under the name and is not ours is left out; without a storage nothing is kept", async () => {
  for (const value of ["{", "null", "[]", '{"of":"else"}']) {
    using session = new FakeSession();
    session.items.set("answer", value);
    const opened = await page();
    assert.deepEqual(opened.requests, ["POST /api/chat"]);
    await opened.gone();
  }
  const opened = await page();
  assert.deepEqual(opened.requests, ["POST /api/chat"]);
  await opened.gone();
});

test("A page that is reloaded after a message without an id shows that something may be missing or repeated", async () => {
  using session = new FakeSession();
  const first = await page();
  first.answer().write("id: 1\ndata: To \n\ndata: be\n\n");
  await settled();
  session.leavePage();
  await first.gone();

  const second = await page();
  second.answer().write("id: 2\ndata:  or not.\n\ndata: [DONE]\n\n");
  await settled();
  assert.deepEqual(second.texts(), ["To ", "be", " or not."]);
  assert.deepEqual(second.store.getSnapshot().messages.map(({ followsGap }) => followsGap), [false, false, true]);
  session.leavePage();
  await second.gone();
});
