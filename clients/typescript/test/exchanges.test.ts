import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createTransport } from "../src/sse.js";
import type { TransportError } from "../src/errors.js";
import { type Answer, serveAnswers } from "./support/exchange-server.js";

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

for (const file of ["retry", "replay"]) {
  for (const each of (JSON.parse(readFileSync(`../../conformance/${file}.json`, "utf8")) as { cases: Case[] }).cases) {
    test(`${file}: ${each.name}`, async () => {
      let received = () => 0;
      await using server = await serveAnswers(each.answers, () => received());
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
