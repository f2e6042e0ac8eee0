import type { ChatTransport, UIMessage, UIMessageChunk } from "ai";
import { createTransport as createSse } from "./sse.js";
import type { CreateTransport } from "./client.js";
import { TransportError } from "./errors.js";
import type { StreamMessage, Transport, TransportOptions } from "./types.js";

/** Options for a chat transport, beyond those of every transport. `endOfStream` is `require-marker` by default: an answer ends with `[DONE]`. */
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
      const transport = open(api, headers, { ...body, ...more, id: chatId, messages, trigger, messageId });
      await orClosed(transport, transport.connect({ signal: abortSignal }));
      return streamOf(transport, transport.read(), abortSignal);
    },

    async reconnectToStream({ chatId, abortSignal, headers }: Parameters<ChatTransport<Message>["reconnectToStream"]>[0] & { abortSignal?: AbortSignal | undefined }) {
      const transport = open(streamUrl(chatId), headers);
      const messages = transport.read({ signal: abortSignal });
      const first = await orClosed(transport, messages.next());
      return first.done ? null : streamOf(transport, messages, abortSignal, first.value);
    },
  };

  function open(url: string, headers: HeadersInit | undefined, body?: object): Transport {
    const own = Object.fromEntries(new Headers(headers));
    const common = shared.headers;
    return createTransport({
      endOfStream: "require-marker",
      ...shared,
      url,
      body,
      headers: () => ({ ...(typeof common == "function" ? common() : common), ...own }),
    });
  }
}

/** What was promised. Where it fails, the transport is closed. */
async function orClosed<T>(transport: Transport, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    void transport.close();
    throw error;
  }
}

/** The messages as chunks. Aborting is what the SDK calls stopping: the server is asked to. */
function streamOf(transport: Transport, messages: AsyncGenerator<StreamMessage, void, void>, abortSignal: AbortSignal | undefined, first?: StreamMessage): ReadableStream<UIMessageChunk> {
  let next = first;
  let onAbort = () => {};
  const stopListening = () => abortSignal?.removeEventListener("abort", onAbort);

  return new ReadableStream({
    start(controller) {
      onAbort = () => {
        controller.error(abortSignal!.reason);
        void transport.stop().catch(() => {}).then(transport.close);
      };
      if (abortSignal?.aborted) onAbort();
      else abortSignal?.addEventListener("abort", onAbort, { once: true });
    },
    async pull(controller) {
      const message = next ?? (await messages.next()).value;
      next = undefined;
      if (abortSignal?.aborted) return;
      if (message) return controller.enqueue(await orClosed(transport, chunkOf(message)));
      stopListening();
      controller.close();
    },
    cancel() {
      stopListening();
      return transport.close();
    },
  }, { highWaterMark: 0 });
}

/** A message that is no chunk, or before which chunks are missing or repeated, is an error: the answer would not be whole. */
async function chunkOf(message: StreamMessage): Promise<UIMessageChunk> {
  if (message.followsGap) throw new TransportError("interrupted", "chunks before this one are missing or repeated");
  let chunk: UIMessageChunk | null | undefined;
  try {
    chunk = message.json<UIMessageChunk | null>();
  } catch {
    // The error of the parser quotes the message, which is payload.
  }
  if (typeof chunk?.type != "string") throw new TransportError("invalid-message", "not a chunk of a UI message stream");
  return chunk;
}
