import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { a2a, agui, aiSdk, anthropic, dialectOf, gemini, mcp, ollama, openAIChat, openAIResponses, recognized } from "../src/dialects.js";
import type { TransportError } from "../src/errors.js";
import { createTransport } from "../src/index.js";
import type { Dialect, TransportOptions } from "../src/types.js";
import { type Answer, serveAnswers } from "./support/exchange-server.js";

interface Case extends Answer {
  readonly name: string;
  readonly dialect: string;
  readonly transport: "sse" | "http-stream";
  readonly messages: number;
  readonly outcome: string;
  readonly code: string | null;
  readonly serverCode?: string | null;
}

const cases = (JSON.parse(readFileSync("../../conformance/dialects.json", "utf8")) as { cases: Case[] }).cases;
const named: Record<string, Dialect> = {
  "openai-chat": openAIChat, "openai-responses": openAIResponses, anthropic, ollama, gemini, "ai-sdk": aiSdk, "ag-ui": agui, mcp, a2a,
};

const caseOf = (name: string) => cases.find((each) => each.name == name)!;
const answerOf = ({ transport, headers, body, ending, messages }: Case): Answer =>
  ({ status: 200, headers: { "content-type": transport == "sse" ? "text/event-stream" : "application/x-ndjson", ...headers }, body: body!, ending: ending!, messages });

/** Reads answers to a POST that must not be repeated. */
async function read(answers: readonly Answer[], options: Partial<TransportOptions> & { transport?: "sse" | "http-stream" }) {
  let received = () => 0;
  await using server = await serveAnswers(answers, () => received());
  const transport = createTransport({ url: server.url, body: "hello", reconnect: { initialDelay: 0 }, ...options });
  received = () => transport.getMetrics().messagesReceived;
  let messages = 0;
  let error: TransportError | undefined;
  try {
    for await (const _ of transport) messages++;
  } catch (failure) {
    error = failure as TransportError;
  }
  return { messages, outcome: (await transport.completion).reason, error, requests: server.requests };
}

assert.equal(cases.length, 47);
for (const each of cases) {
  test(`Recognized: ${each.name}`, async () => {
    const { messages, outcome, error, requests } = await read([answerOf(each)], { transport: each.transport, dialect: recognized });
    const code = error?.code ?? null;
    assert.deepEqual({ messages, outcome, code, requests }, { messages: each.messages, outcome: each.outcome, code: each.code, requests: ["POST"] });
    assert.equal(error?.serverCode ?? null, each.serverCode ?? null);
  });

  if (each.dialect != "none") {
    test(`Named: ${each.name}`, async () => {
      const { messages, outcome } = await read([answerOf(each)], { transport: each.transport, dialect: named[each.dialect] });
      assert.deepEqual({ messages, outcome }, { messages: each.messages, outcome: each.outcome });
    });
  }
}

test("Without a dialect the end of the body is the end", async () => {
  const { outcome } = await read([answerOf(caseOf("anthropic: a body that ends before the answer is not complete"))], { transport: "sse" });
  assert.equal(outcome, "completed");
});

test("The provider's message is in the error", async () => {
  const { error } = await read([answerOf(caseOf("openai-responses: an error event fails the answer"))], { transport: "sse", dialect: recognized });
  assert.equal(error?.serverMessage, "Too many requests");
});

test("A dialect is kept over reconnects, and its end is needed on each response", async () => {
  const { headers, body } = answerOf(caseOf("anthropic: a body that ends before the answer is not complete"));
  const half = { status: 200, headers: headers!, body: body!.replaceAll("\n\n", "\nid: 1\n\n") };
  const more = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\"}\nid: 2\n\n";
  const { outcome, requests, messages } = await read(
    [half, { ...half, body: more }, { ...half, body: more + "event: message_stop\ndata: {\"type\":\"message_stop\"}\nid: 3\n\n" }],
    { transport: "sse", method: "GET", body: undefined, dialect: recognized },
  );
  assert.deepEqual({ outcome, requests, messages }, { outcome: "completed", requests: ["GET", "GET 1", "GET 2"], messages: 8 });
});

test("A format is recognized in the first three messages, and not later", async () => {
  const { headers, body } = answerOf(caseOf("ag-ui: a body that ends before the answer is not complete"));
  const after = (count: number) => [{ status: 200, headers: headers!, body: "data: {\"text\":\"hello\"}\n\n".repeat(count) + body! }];
  assert.equal((await read(after(2), { transport: "sse", dialect: recognized })).outcome, "interrupted");
  assert.equal((await read(after(3), { transport: "sse", dialect: recognized })).outcome, "completed");
});

test("MCP is recognized by a header of the request, too, but not where a GET opened the stream", async () => {
  const { body } = caseOf("mcp: a body that ends before the answer is not complete");
  const answers = [{ status: 200, headers: { "content-type": "text/event-stream" }, body: body! }];
  const options = { transport: "sse", dialect: recognized, reconnect: false, headers: { "MCP-Protocol-Version": "2025-11-25" } } as const;
  assert.equal((await read(answers, options)).outcome, "interrupted");
  assert.equal((await read(answers, { ...options, method: "GET", body: undefined })).outcome, "completed");
});

test("A dialect decides before classify, which is asked while none is known", async () => {
  const asked: string[] = [];
  const classify = ({ data }: { data: string }) => (asked.push(data), "message" as const);
  const { headers, body } = answerOf(caseOf("ag-ui: a whole answer is complete"));
  const { outcome } = await read([{ status: 200, headers: headers!, body: "data: hello\n\n" + body! }], { transport: "sse", dialect: recognized, classify });
  assert.deepEqual([asked, outcome], [["hello"], "completed"]);
});

test("A server that announces Perennial's protocol is read by that, and raw chunks by nothing", async () => {
  const { body } = caseOf("anthropic: an error event fails the answer");
  const headers = { "content-type": "text/event-stream", "perennial-protocol": "1" };
  const whole = await read([{ status: 200, headers, body: body! + "event: perennial.completed\ndata: [DONE]\n\n" }], { transport: "sse", dialect: anthropic });
  assert.deepEqual([whole.outcome, whole.messages], ["completed", 6]);
  const raw = await read([{ status: 200, headers: { "content-type": "text/plain" }, body: "{\"error\":\"busy\"}" }], { transport: "http-stream", framing: "raw", dialect: ollama });
  assert.equal(raw.outcome, "completed");
});

test("Odd JSON of a server is no end and no error", async () => {
  const odd = ['{"finishReason":1,"candidates":"x"}', '{"finishReason":1,"candidates":[null]}', '{"error":[1]}', '{"error":""}', '{"result', '{"error":null}', "[]", '"error"'];
  const answers = [{ status: 200, headers: { "content-type": "text/event-stream" }, body: odd.map((data) => `data: ${data}\n\n`).join("") }];
  for (const dialect of Object.values(named)) {
    const { messages, outcome } = await read(answers, { transport: "sse", dialect, reconnect: false });
    assert.deepEqual([messages, outcome], [odd.length, "interrupted"]);
  }
});

test("A dialect of one's own", async () => {
  const ours = dialectOf({ judge: ({ type }) => (type == "bye" ? "delivered-then-completed" : type == "pause" ? "may-be-last" : undefined) });
  const answer = (body: string) => [{ status: 200, headers: { "content-type": "text/event-stream" }, body }];
  const options = { transport: "sse", dialect: ours, reconnect: false } as const;
  assert.equal((await read(answer("data: a\n\nevent: bye\ndata: b\n\n"), options)).outcome, "completed");
  assert.equal((await read(answer("data: a\n\nevent: pause\ndata: b\n\n"), options)).outcome, "completed");
  assert.equal((await read(answer("data: a\n\n"), options)).outcome, "interrupted");
});
