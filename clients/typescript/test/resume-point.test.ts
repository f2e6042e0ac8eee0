import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransport } from "../src/index.js";
import { readAll } from "./support/forms.js";
import { settled } from "./support/manual-clock.js";
import { Scripted } from "./support/scripted-fetch.js";

const url = "https://example.com/stream?secret=1";

test("The resume point follows what the reader took, not what was received", async () => {
  const { transport, requests } = new Scripted();
  const messages = transport.read();
  const first = messages.next();
  await settled();
  assert.deepEqual(transport.resumePoint, { url, lastEventId: undefined });
  requests[0]!.answer().write("id: 1\ndata: one\n\nid: 2\ndata: two\n\nid: 3\ndata: three\n\n");
  await first;
  await settled();
  assert.equal(transport.lastEventId, "3");
  assert.deepEqual(transport.resumePoint, { url, lastEventId: "1" });
  await messages.next();
  assert.deepEqual(transport.resumePoint, { url, lastEventId: "2" });
  await transport.close();
  assert.deepEqual(transport.resumePoint, { url, lastEventId: "2" });
});

test("An id without a message moves the resume point behind the messages before it, and a message without an id leaves it", async () => {
  const { transport, requests } = new Scripted();
  const messages = transport.read();
  const first = messages.next();
  await settled();
  const body = requests[0]!.answer();
  body.write("id: 1\ndata: one\n\ndata: more\n\nid: 2\n\n");
  await first;
  await settled();
  assert.equal(transport.resumePoint?.lastEventId, "1");
  await messages.next();
  assert.equal(transport.resumePoint?.lastEventId, "2");
  body.write("id: 3\n\n");
  await settled();
  assert.equal(transport.resumePoint?.lastEventId, "3");
  body.write("id\n\n");
  await settled();
  assert.equal(transport.resumePoint?.lastEventId, undefined);
  await transport.close();
});

test("A message is taken when its handler is called", async () => {
  const { transport, requests } = new Scripted();
  const points: unknown[] = [];
  transport.on("event", () => points.push(transport.resumePoint?.lastEventId));
  transport.connect().catch(() => {});
  await settled();
  requests[0]!.answer().write("id: 1\ndata: one\n\nid: 2\ndata: two\n\n");
  await settled();
  assert.deepEqual(points, ["1", "2"]);
  await transport.close();
});

test("A POST has no resume point until its answer names the stream", async () => {
  const scripted = new Scripted({ url: "https://example.com/chat", body: { prompt: "hello" } });
  const messages = scripted.transport.read();
  const first = messages.next();
  await settled();
  assert.equal(scripted.transport.resumePoint, undefined);
  scripted.last.answer(200, { "content-location": "/streams/7" }).write("id: 1\ndata: one\n\n");
  await first;
  assert.deepEqual(JSON.parse(JSON.stringify(scripted.transport.resumePoint)), { url: "https://example.com/streams/7", lastEventId: "1" });
  await scripted.transport.close();
});

test("resumeFrom reads where another transport stopped, and posts nothing", async () => {
  const scripted = new Scripted({ url: "https://example.com/chat", body: { prompt: "hello" }, resumeFrom: { url: "https://example.com/streams/7", lastEventId: "e-1" } });
  const reading = readAll(scripted.transport);
  await settled();
  assert.equal(scripted.last.method, "GET");
  assert.equal(scripted.last.url, "https://example.com/streams/7");
  assert.equal(scripted.last.body, undefined);
  assert.equal(scripted.last.headers.get("last-event-id"), "e-1");
  assert.deepEqual(scripted.transport.resumePoint, { url: "https://example.com/streams/7", lastEventId: "e-1" });
  const body = scripted.last.answer();
  body.write("id: e-2\ndata: two\n\n");
  body.end();
  assert.deepEqual(await reading, ["two"]);
  assert.equal(scripted.requests.length, 1);
});

test("resumeFrom of another origin is refused: requests to it would carry credentials", () => {
  const create = () => createTransport({ transport: "sse", url: "https://example.com/chat", resumeFrom: { url: "https://evil.test/streams/7" } });
  assert.throws(create, { name: "RangeError", message: "resumeFrom.url must be of the origin https://example.com, as url is, not of https://evil.test." });
});

test("A resume point says where messages without an id followed, and only then, in the form that .NET reads and writes", async () => {
  const { transport, requests } = new Scripted();
  const messages = transport.read();
  const first = messages.next();
  await settled();
  assert.equal(JSON.stringify(transport.resumePoint), `{"url":"${url}"}`);
  requests[0]!.answer().write("id: 1\ndata: one\n\ndata: more\n\nid: 2\ndata: two\n\n");
  await first;
  assert.equal(JSON.stringify(transport.resumePoint), `{"url":"${url}","lastEventId":"1"}`);
  await messages.next();
  assert.equal(JSON.stringify(transport.resumePoint), `{"url":"${url}","lastEventId":"1","exact":false}`);
  await messages.next();
  assert.equal(JSON.stringify(transport.resumePoint), `{"url":"${url}","lastEventId":"2"}`);
  await transport.close();
});

test("A transport that resumes where messages without an id followed announces a gap", async () => {
  const resumeFrom = { url, lastEventId: "1", exact: false };
  const scripted = new Scripted({ resumeFrom });
  const gaps: unknown[] = [];
  scripted.transport.on("gap", (gap) => gaps.push(gap));
  assert.deepEqual(scripted.transport.resumePoint, resumeFrom);
  const messages = scripted.transport.read();
  const first = messages.next();
  await settled();
  scripted.last.answer().write("id: 2\ndata: two\n\n");
  assert.equal((await first).value?.followsGap, true);
  assert.deepEqual(gaps, [{ reason: "not-numbered", requested: "1", resumesAt: undefined }]);
  assert.deepEqual(scripted.transport.resumePoint, { url, lastEventId: "2" });
  await scripted.transport.close();
});
