import type { ChatTransport, UIMessage, UIMessageChunk } from "ai";
import { createTransport as createSse } from "./sse.js";
import type { CreateTransport } from "./client.js";
import type { StreamMessage, Transport, TransportOptions } from "./types.js";

/** What a chat transport is told, beyond what every transport is. */
export interface ChatTransportOptions extends Omit<TransportOptions, "url" | "body" | "method"> {
  /** Where messages are posted to. Default `/api/chat`. */
  readonly api?: string | undefined;
  /** More members of the body that is posted. */
  readonly body?: object | undefined;
  /** Where the running answer of a chat is read. Default `{api}/{chatId}/stream`, as the SDK has it. */
  readonly streamUrl?: ((chatId: string) => string) | undefined;
  /** What makes the transports. Default: SSE. */
  readonly createTransport?: CreateTransport | undefined;
}

/**
 * A `ChatTransport` of the Vercel AI SDK over Perennial: an answer goes on over as many connections as it takes, and the prompt is
 * posted once. The server answers the POST with a UI message stream whose `Content-Location` is the stream (docs/protocol.md).
 *
 * ```ts
 * const chat = useChat({ transport: createChatTransport({ api: "/api/chat" }), resume: true });
 * ```
 */
export function createChatTransport<Message extends UIMessage>({
  api = "/api/chat", body, streamUrl = (chatId) => `${api}/${chatId}/stream`, createTransport = createSse, ...shared
}: ChatTransportOptions = {}): ChatTransport<Message> {
  return {
    async sendMessages({ trigger, chatId, messageId, messages, abortSignal, headers, body: more }) {
      const transport = createTransport({
        ...shared,
        url: api,
        headers: { ...shared.headers, ...Object.fromEntries(new Headers(headers)) },
        body: { ...body, ...more, id: chatId, messages, trigger, messageId },
      });
      await transport.connect({ signal: abortSignal });
      return streamOf(transport, transport.read(), abortSignal);
    },

    async reconnectToStream({ chatId, abortSignal, headers }: Parameters<ChatTransport<Message>["reconnectToStream"]>[0] & { abortSignal?: AbortSignal | undefined }) {
      const transport = createTransport({ ...shared, url: streamUrl(chatId), headers: { ...shared.headers, ...Object.fromEntries(new Headers(headers)) } });
      const messages = transport.read({ signal: abortSignal });
      const first = await messages.next();
      return first.done ? null : streamOf(transport, messages, abortSignal, first.value);
    },
  };
}

/** The messages as chunks. Aborting is what the SDK calls stopping: the server is asked to. */
function streamOf(transport: Transport, messages: AsyncGenerator<StreamMessage, void, void>, abortSignal: AbortSignal | undefined, first?: StreamMessage): ReadableStream<UIMessageChunk> {
  let next = first;
  return new ReadableStream({
    start(controller) {
      abortSignal?.addEventListener("abort", () => {
        controller.error(abortSignal.reason);
        void transport.stop().catch(() => {}).then(transport.close);
      }, { once: true });
    },
    async pull(controller) {
      const message = next ?? (await messages.next()).value;
      next = undefined;
      if (abortSignal?.aborted) return;
      if (message) controller.enqueue(message.json<UIMessageChunk>());
      else controller.close();
    },
    cancel: () => transport.close(),
  }, { highWaterMark: 0 });
}
