import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { readUIMessageStream, type UIMessage, type UIMessageChunk } from "ai";
import { createChatTransport } from "../src/ai.js";

const answer: UIMessageChunk[] = [
  { type: "start", messageId: "m1" },
  { type: "text-start", id: "t" },
  ...["To ", "be ", "or ", "not."].map((delta) => ({ type: "text-delta" as const, id: "t", delta })),
  { type: "text-end", id: "t" },
  { type: "finish" },
];

const question: UIMessage[] = [{ id: "u1", role: "user", parts: [{ type: "text", text: "Hamlet?" }] }];

/** An answer that breaks off after each chunk, whoever asks; posts are counted. */
async function serve(handle?: (request: IncomingMessage, response: ServerResponse) => boolean) {
  const posts: string[] = [];
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (handle?.(request, response)) return;
    if (request.method == "POST") {
      let body = "";
      for await (const part of request) body += String(part);
      posts.push(body);
    }
    const from = Number(request.headers["last-event-id"] ?? 0);
    response.writeHead(200, { "content-type": "text/event-stream", "perennial-protocol": "1", "content-location": "/streams/7" });
    if (from < answer.length) response.write(`id: ${from + 1}\ndata: ${JSON.stringify(answer[from])}\n\n`, () => setImmediate(() => response.destroy()));
    else response.end("event: perennial.completed\ndata: [DONE]\n\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { posts, seen, url, [Symbol.asyncDispose]: async () => void (server.closeAllConnections(), server.close()) };
}

async function textOf(stream: ReadableStream<UIMessageChunk>): Promise<string> {
  let text = "";
  for await (const { parts } of readUIMessageStream({ stream })) text = parts.flatMap((part) => (part.type == "text" ? [part.text] : [])).join("");
  return text;
}

const options = { chatId: "c1", messageId: undefined, messages: question, trigger: "submit-message" as const, abortSignal: undefined };

test("An answer is whole over a line that breaks after each chunk, and the prompt is posted once", async () => {
  await using server = await serve();
  const chat = createChatTransport({ api: `${server.url}/api/chat`, reconnect: { initialDelay: 0 }, body: { model: "x" } });
  assert.equal(await textOf(await chat.sendMessages(options)), "To be or not.");
  assert.equal(server.posts.length, 1);
  assert.deepEqual(JSON.parse(server.posts[0]!), { model: "x", id: "c1", messages: question, trigger: "submit-message" });
  assert.equal(server.seen.filter((each) => each == "GET /streams/7").length, answer.length);
});

test("A page that comes back goes on with the running answer, and with nothing where there is none", async () => {
  await using server = await serve((request, response) => request.url == "/api/chat/none/stream" && !!response.writeHead(204).end());
  const chat = createChatTransport({ api: `${server.url}/api/chat`, reconnect: { initialDelay: 0 } });
  assert.equal(await textOf((await chat.reconnectToStream({ chatId: "c1" }))!), "To be or not.");
  assert.equal(await chat.reconnectToStream({ chatId: "none" }), null);
});

test("Stopping asks the server to stop, and ends the stream as aborted", async () => {
  await using server = await serve((request, response) => {
    if (request.method == "DELETE") return !!response.writeHead(200).end();
    response.writeHead(200, { "content-type": "text/event-stream", "perennial-protocol": "1", "content-location": "/streams/7" });
    response.write(`id: 1\ndata: ${JSON.stringify(answer[0])}\n\n`);
    return true;
  });
  const chat = createChatTransport({ api: `${server.url}/api/chat` });
  const abort = new AbortController();
  const reader = (await chat.sendMessages({ ...options, abortSignal: abort.signal })).getReader();
  assert.equal((await reader.read()).value?.type, "start");
  const next = assert.rejects(reader.read(), { name: "AbortError" });
  abort.abort();
  await next;
  while (!server.seen.includes("DELETE /streams/7")) await new Promise((resolve) => setTimeout(resolve, 1));
});

test("A refusal is the caller's to see", async () => {
  await using server = await serve((_, response) => !!response.writeHead(400).end());
  await assert.rejects(createChatTransport({ api: `${server.url}/api/chat` }).sendMessages(options), { status: 400 });
});

/** Chunks, and then what the test does with the response. `closed` settles when the reader has left. */
async function answering(chunks: string[], then: (response: ServerResponse) => void = () => {}) {
  let isClosed = (_: void) => {};
  const closed = new Promise<void>((resolve) => (isClosed = resolve));
  const server = await serve((request, response) => {
    if (request.method == "DELETE") return !!response.writeHead(200).end();
    response.on("close", isClosed).writeHead(200, { "content-type": "text/event-stream", "x-vercel-ai-ui-message-stream": "v1" });
    response.write(chunks.map((chunk) => `data: ${chunk}\n\n`).join("") || ": nothing yet\n\n", () => then(response));
    return true;
  });
  return { server, closed, chat: createChatTransport({ api: `${server.url}/api/chat`, reconnect: { initialDelay: 0 } }) };
}

const openers = {
  sendMessages: (chat: ReturnType<typeof createChatTransport>) => chat.sendMessages(options),
  reconnectToStream: async (chat: ReturnType<typeof createChatTransport>) => (await chat.reconnectToStream({ chatId: "c1" }))!,
};

for (const [name, open] of Object.entries(openers)) {
  for (const chunk of ["{half", "null", '"text"', '{"delta":"x"}']) {
    test(`${name}: a chunk that is none (${chunk}) is an error that does not quote it, and the connection is closed`, async () => {
      const { server, chat, closed } = await answering([JSON.stringify(answer[0]), chunk]);
      const reader = (await open(chat)).getReader();
      await reader.read();
      await assert.rejects(reader.read(), { name: "TransportError", code: "invalid-message", message: "invalid-message: not a chunk of a UI message stream" });
      await closed;
      await server[Symbol.asyncDispose]();
    });
  }

  test(`${name}: an end in good order without [DONE] is an error, and the connection is closed`, async () => {
    const { server, chat, closed } = await answering(answer.slice(0, 3).map((chunk) => JSON.stringify(chunk)), (response) => response.end());
    const reader = (await open(chat)).getReader();
    for (let count = 0; count < 3; count++) await reader.read();
    await assert.rejects(reader.read(), { name: "TransportError", code: "interrupted" });
    await closed;
    await server[Symbol.asyncDispose]();
  });
}

test("reconnectToStream: an abort before the first chunk closes the connection", async () => {
  const abort = new AbortController();
  const { server, chat, closed } = await answering([], () => setImmediate(() => abort.abort()));
  await assert.rejects(chat.reconnectToStream({ chatId: "c1", abortSignal: abort.signal } as never), { name: "AbortError" });
  await closed;
  await server[Symbol.asyncDispose]();
});

test("sendMessages: an abort before the server answers takes the request back", async () => {
  const abort = new AbortController();
  let left!: () => void;
  const isLeft = new Promise<void>((resolve) => (left = resolve));
  await using server = await serve((request) => {
    request.socket.once("close", left);
    abort.abort();
    return true;
  });
  const chat = createChatTransport({ api: `${server.url}/api/chat` });
  await assert.rejects(chat.sendMessages({ ...options, abortSignal: abort.signal }), { name: "AbortError" });
  await isLeft;
});

test("A signal that was aborted before the answer came ends the answer", async () => {
  const { server, chat, closed } = await answering([JSON.stringify(answer[0])]);
  const abort = new AbortController();
  const stream = await chat.sendMessages({ ...options, abortSignal: abort.signal });
  abort.abort();
  await assert.rejects(stream.getReader().read(), { name: "AbortError" });
  await closed;
  await server[Symbol.asyncDispose]();
});
