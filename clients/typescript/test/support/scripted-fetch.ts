import { createTransport } from "../../src/sse.js";
import type { Transport, TransportOptions } from "../../src/types.js";
import { ManualClock } from "./manual-clock.js";

/** A body that is written piece by piece, and counts how often it is asked for more. */
export class ScriptedBody {
  pulls = 0;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly stream = new ReadableStream<Uint8Array>({
    start: (controller) => void (this.#controller = controller),
    pull: () => void this.pulls++,
  }, { highWaterMark: 0 });

  write(text: string): void {
    this.#controller.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.#controller.close();
  }

  break(): void {
    this.#controller.error(new TypeError("terminated"));
  }
}

/** One request that was made, and the answer it will have. */
export interface ScriptedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: BodyInit | null | undefined;
  readonly signal: AbortSignal;
  /** Answers; `body` is written later. `refusal`: what an error says, and whether that is all. */
  answer(status?: number, headers?: Record<string, string>, body?: ScriptedBody, refusal?: string, isWhole?: boolean): ScriptedBody;
  /** Fails before any answer. */
  fail(code?: string): void;
}

/** A transport, over SSE unless told otherwise, whose requests are answered by the test, and whose clock is the test's. */
export class Scripted {
  readonly clock = new ManualClock();
  readonly requests: ScriptedRequest[] = [];
  readonly host = new EventTarget();
  isOffline = false;
  readonly transport: Transport;

  constructor(options: Partial<TransportOptions> = {}, create: typeof createTransport = createTransport) {
    this.transport = create({
      url: "https://example.com/stream?secret=1",
      ...options,
      services: { ...this.clock.services, fetch: (url, init) => this.#fetch(url, init), host: this.host, isOffline: () => this.isOffline },
    });
  }

  get last(): ScriptedRequest {
    return this.requests.at(-1)!;
  }

  #fetch(url: URL, init: RequestInit): Promise<Response> {
    return new Promise((resolve, reject) => {
      const signal = init.signal!;
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.requests.push({
        url: url.href,
        method: init.method!,
        headers: init.headers as Headers,
        body: init.body,
        signal,
        answer(status = 200, headers = {}, body = new ScriptedBody(), refusal = "", isWhole = true) {
          const isEmpty = status == 204 || (status >= 400 && !refusal);
          // As fetch has it: aborting breaks the body.
          const stream = isEmpty ? null : body.stream.pipeThrough(new TransformStream({}, undefined, { highWaterMark: 0 }), { signal });
          const response = new Response(stream, { status, headers: { "content-type": "text/event-stream", ...headers } });
          resolve(response);
          if (refusal) body.write(refusal);
          if (refusal && isWhole) body.end();
          return body;
        },
        fail: (code) => reject(Object.assign(new TypeError("fetch failed"), { cause: { code } })),
      });
    });
  }
}
