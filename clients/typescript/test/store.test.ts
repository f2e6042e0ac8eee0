import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore, type StreamView } from "../src/store.js";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";

test("A look that ends at once opens nothing", async () => {
  const scripted = new Scripted();
  createStore(scripted.transport).subscribe(() => {})();
  await settled();
  assert.equal(scripted.requests.length, 0);
  assert.equal(scripted.transport.state, "idle");
});

test("A view that goes and comes back at once keeps its connection; one that stays away gives it up, and resumes", async () => {
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
  assert.deepEqual(store.getSnapshot().messages.map(({ data }) => data), ["x"]);
  await scripted.transport.close();
});

test("A stream that has ended is not asked for again", async () => {
  const scripted = new Scripted();
  const store = createStore(scripted.transport);
  const end = store.subscribe(() => {});
  await settled();
  scripted.last.answer().write("data: [DONE]\n\n");
  await settled();
  end();
  await new Promise((resolve) => setTimeout(resolve, 5));
  store.subscribe(() => {});
  await settled();
  assert.equal(scripted.requests.length, 1);
  assert.equal(store.getSnapshot().end?.reason, "completed");
});

test("However many messages come at once, the view changes once, is the same until then, and keeps the last", async () => {
  const scripted = new Scripted();
  const store = createStore(scripted.transport, { keep: 3 });
  const views: StreamView[] = [];
  store.subscribe((view) => views.push(view));
  await settled();
  const body = scripted.last.answer();
  await settled();
  const before = views.length;
  const snapshot = store.getSnapshot();
  assert.equal(store.getSnapshot(), snapshot);
  body.write("data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n");
  await settled();
  assert.equal(views.length, before + 1);
  assert.deepEqual(views.at(-1)!.messages.map(({ data }) => data), ["2", "3", "4"]);
  assert.deepEqual(snapshot.messages, []);
  await scripted.transport.close();
});
