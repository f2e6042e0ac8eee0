import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createTransport } from "../src/sse.js";
import type { TransportError } from "../src/errors.js";

interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly ending?: "complete" | "reset";
}

interface Case {
  readonly name: string;
  readonly method?: "POST";
  readonly allowReplay?: boolean;
  readonly maxAttempts?: number;
  readonly maxRetryAfter?: number;
  readonly answers: readonly Answer[];
  readonly requests: readonly string[];
  readonly messages: readonly string[];
  readonly outcome: string;
  readonly code: string | null;
}

/** Gives one answer after the other, and the last one to all that follow. Resets a connection once all messages on it were received. */
async function serve(answers: readonly Answer[], received: () => number) {
  const requests: string[] = [];
  let written = 0;
  const keys = new Set<string | undefined>();
  const server = createServer(async (request, response) => {
    const { status, headers = {}, body = "", ending } = answers[Math.min(requests.length, answers.length - 1)]!;
    const lastEventId = request.headers["last-event-id"];
    requests.push(`${request.method}${lastEventId === undefined ? "" : ` ${String(lastEventId)}`}`);
    if (request.method == "POST") keys.add(request.headers["idempotency-key"] as string | undefined);
    if (status === undefined) return void request.socket.resetAndDestroy();
    response.writeHead(status, headers);
    if (ending != "reset") return void response.end(body);
    response.flushHeaders();
    response.write(body);
    written += body.split("data:").length - 1;
    while (received() < written) await new Promise(setImmediate);
    request.socket.resetAndDestroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    keys,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

for (const file of ["retry", "replay"]) {
  for (const each of (JSON.parse(readFileSync(`../../conformance/${file}.json`, "utf8")) as { cases: Case[] }).cases) {
    test(`${file}: ${each.name}`, async () => {
      let received = () => 0;
      await using server = await serve(each.answers, () => received());
      const { maxAttempts, maxRetryAfter } = each;
      const transport = createTransport({
        url: server.url, method: each.method, body: each.method && "hello", allowReplay: each.allowReplay,
        reconnect: { initialDelay: 0, maxAttempts, maxRetryAfter },
      });
      received = () => transport.getMetrics().messagesReceived;
      const messages: string[] = [];
      let code: string | null = null;
      try {
        for await (const { data } of transport) messages.push(data);
      } catch (error) {
        code = (error as TransportError).code;
      }
      const { reason: outcome } = await transport.completion;
      const { requests, name } = each;
      assert.deepEqual({ requests: server.requests, messages, outcome, code }, { requests, messages: each.messages, outcome: each.outcome, code: each.code }, name);
      assert.ok(server.keys.size <= 1);
    });
  }
}
