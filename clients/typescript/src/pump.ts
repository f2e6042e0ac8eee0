import type { Backoff } from "./backoff.js";
import type { Connection } from "./connection.js";
import { passing } from "./errors.js";
import type { LoopContext } from "./loop.js";
import type { Incoming, Message } from "./message.js";
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
  const { settings, buffer, cursor, announce, report } = context;
  const limit = settings.idleTimeout ?? connection.longestSilence ?? 300_000;
  const silence = watchSilence(settings, limit, () => context.drop(passing("idle-timeout", limit)));
  connection.onActivity = silence.heard;
  context.wake = silence.look;
  let counted = 0;

  try {
    for (;;) {
      await buffer.whenReady(signal);
      silence.setReading(true);
      const batch = await connection.read();
      silence.setReading(false);
      if (!batch) return undefined;
      for (const each of batch) {
        const { message } = each;
        const meaning = judge(each);
        const isDelivered = meaning == "message" || meaning == "error" || meaning == "delivered-then-completed";
        if (isDelivered) {
          message!.followsGap = cursor.isBeforeGap;
          while (!buffer.append(message!)) await buffer.whenReady(signal);      // the only wait: a batch is handed over at once
          cursor.isBeforeGap = false;
          if (each.id === undefined) cursor.isExact = false;
        }
        moveCursor(each);
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

  function judge({ message, retry, malformed }: Incoming): StreamSignal | undefined {
    if (retry !== undefined) backoff.useServerDelay(retry);
    if (malformed !== undefined) report(passing("invalid-message", malformed), true, 0);
    return message && connection.classify(message);
  }

  function moveCursor({ id }: Incoming): void {
    if (id === undefined) return;
    cursor.id = id || undefined;
    cursor.isExact = id != "";
  }

  function act(meaning: StreamSignal, message: Message): StreamEnd | undefined {
    if (meaning == "completed" || meaning == "delivered-then-completed") return { reason: "completed" };
    if (meaning == "stopped") return { reason: meaning };
    if (meaning == "failed") return { reason: meaning, error: failureIn(message, false) };
    if (meaning == "error") report(failureIn(message, true), true, 0);
    if (meaning == "gap") {
      cursor.isBeforeGap = true;
      announce("gap", { reason: "announced", requested: text(memberOf(message, "requested")), resumesAt: text(memberOf(message, "resumesAt")) });
    }
    const delay = meaning == "ignored" && message.type == "perennial.retry" && memberOf(message, "delay");
    if (typeof delay == "number" && delay >= 0) backoff.useServerDelay(delay);
    return undefined;
  }
}
