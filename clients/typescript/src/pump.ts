import type { Backoff } from "./backoff.js";
import type { Connection } from "./connection.js";
import { passing } from "./errors.js";
import type { LoopContext } from "./loop.js";
import type { Message } from "./message.js";
import { failureIn, memberOf, text } from "./signals.js";
import { watchSilence } from "./silence.js";
import type { StreamEnd, StreamSignal } from "./types.js";

/**
 * Carries one connection's messages into the buffer until the connection or the stream ends: read, classify, hand over, and only then
 * move the cursor. Reads nothing while the buffer is full or hand-over is paused.
 *
 * @returns How the stream ended, or `undefined` where only the connection did, in good order.
 */
export async function pump(context: LoopContext, connection: Connection, backoff: Backoff, signal: AbortSignal): Promise<StreamEnd | undefined> {
  const { settings, buffer, bell, cursor, report } = context;
  const limit = settings.idleTimeout ?? connection.longestSilence ?? 300_000;
  const silence = watchSilence(settings.services, limit, () => context.drop(passing("idle-timeout", limit)));
  const ready = () => bell.until(buffer.isReady, signal);
  connection.onActivity = silence.heard;
  context.wake = silence.look;
  let counted = 0;

  try {
    for (;;) {
      silence.counts = false;
      await ready();
      silence.counts = true;
      silence.heard();
      const batch = await connection.read();
      silence.counts = false;
      if (!batch) return undefined;
      for (const { message, id, retry, malformed } of batch) {
        backoff.initialDelay = retry ?? backoff.initialDelay;
        if (malformed) report(passing("invalid-message", malformed));
        const meaning = message && connection.classify(message);
        const isDelivered = meaning == "message" || meaning == "error" || meaning == "delivered-then-completed";
        if (isDelivered) {
          message!.followsGap = cursor.isBeforeGap;
          while (!buffer.append(message!)) await ready();      // the only wait: a batch is handed over at once
          cursor.isBeforeGap = false;
          cursor.isExact &&= id !== undefined;
        }
        if (id !== undefined) {
          cursor.id = id || undefined;
          cursor.isExact = id != "";
        }
        if (isDelivered) context.delivered();
        const end = meaning && act(meaning, message!);
        if (end) return end;
      }
      changed();
    }
  } finally {
    silence.end();
    changed();
  }

  function changed(): void {
    context.changed(connection.bytes - counted);
    counted = connection.bytes;
  }

  function act(meaning: StreamSignal, message: Message): StreamEnd | undefined {
    if (meaning == "completed" || meaning == "delivered-then-completed") return { reason: "completed" };
    if (meaning == "stopped") return { reason: meaning };
    if (meaning == "failed") return { reason: meaning, error: failureIn(message, false) };
    if (meaning == "error") report(failureIn(message, true));
    if (meaning == "gap") {
      cursor.isBeforeGap = true;
      context.announce("gap", { reason: "announced", requested: text(memberOf(message, "requested")), resumesAt: text(memberOf(message, "resumesAt")) });
    }
    const delay = message.type == "perennial.retry" && meaning == "ignored" && memberOf(message, "delay");
    if (typeof delay == "number" && delay >= 0) backoff.initialDelay = delay;
    return undefined;
  }
}
