import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** An event of the log. */
export interface LogEvent {
  readonly type: string;
  readonly data: string;
}

/** What a stream server may be told. */
export interface StreamServerOptions {
  readonly heartbeat?: number;
  /** Refuses WebSocket handshakes. */
  readonly noWebSocket?: boolean;
  /** Events written at once. */
  readonly batch?: number;
  /** How many polls are held open before they are answered 204. */
  readonly holdMilliseconds?: number;
}

/**
 * A server that speaks docs/protocol.md in all four forms at one URL, over a log that is complete or grows. It notes what it was sent,
 * once per key or number, as the protocol demands.
 */
export class StreamServer implements AsyncDisposable {
  readonly log: LogEvent[] = [];
  readonly taken: string[] = [];
  readonly requests: { method: string; headers: IncomingMessage["headers"]; url: string }[] = [];
  duplicates = 0;
  status: "running" | "completed" | "stopped" | "failed" = "running";
  readonly #keys = new Set<string>();
  readonly #senders = new Map<string, number>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #webSockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => (offered.has("perennial.v1") ? "perennial.v1" : false) });
  #waiting: (() => void)[] = [];

  constructor(readonly options: StreamServerOptions = {}) {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
    });
    this.#server.on("upgrade", (request, socket, head) => {
      this.#note(request);
      if (options.noWebSocket) {
        socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => void this.#speak(webSocket, new URL(request.url!, "http://x")));
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/streams/one`;
  }

  write(...events: (LogEvent | string)[]): void {
    for (const event of events) this.log.push(typeof event == "string" ? { type: "message", data: event } : event);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  end(status: "completed" | "stopped" | "failed", data = "[DONE]"): void {
    if (this.status != "running") return;
    this.status = status;
    this.write({ type: `perennial.${status}`, data });
  }

  /** Readers that are connected. */
  readers = 0;

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#webSockets.close();
    this.#server.close();
    this.cut();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #note(request: IncomingMessage): void {
    this.requests.push({ method: request.method!, headers: request.headers, url: request.url! });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#note(request);
    response.on("error", () => {});
    if (request.method == "POST") return await this.#take(request, response);
    if (request.method == "DELETE") {
      this.end("stopped");
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ status: this.status }));
      return;
    }
    this.readers++;
    response.on("close", () => this.readers--);
    const from = this.#position(request.headers["last-event-id"] as string | undefined);
    const headers = { "perennial-protocol": "1", "perennial-heartbeat": String(this.options.heartbeat ?? 15) };
    if (from >= this.log.length && this.status != "running") {
      response.writeHead(204, { ...headers, "perennial-status": this.status }).end();
      return;
    }
    const accept = request.headers.accept ?? "";
    if (/application\/json/.test(accept) && !/ndjson.*q=/.test(accept)) await this.#poll(from, response, headers);
    else if (accept.includes("ndjson")) await this.#stream(from, response, { ...headers, "content-type": "application/x-ndjson" }, envelope);
    else await this.#stream(from, response, { ...headers, "content-type": "text/event-stream" }, sseEvent);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = request.headers["idempotency-key"] as string;
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return;
    }
    if (this.#keys.has(key)) this.duplicates++;
    else this.taken.push(Buffer.concat(parts).toString());
    this.#keys.add(key);
    response.writeHead(202).end();
  }

  async #stream(from: number, response: ServerResponse, headers: Record<string, string>, format: (event: LogEvent, id: number) => string): Promise<void> {
    response.writeHead(200, headers);
    response.flushHeaders();
    const left = new Promise<void>((resolve) => response.once("close", resolve));
    for (let position = from; !response.destroyed; ) {
      const events = this.log.slice(position, position + (this.options.batch ?? 50));
      if (events.length) {
        const text = events.map((event, index) => format(event, position + index + 1)).join("");
        position += events.length;
        if (!response.write(text)) await Promise.race([left, new Promise<void>((resolve) => response.once("drain", resolve))]);
        else await new Promise(setImmediate);
      } else if (this.status != "running") {
        response.end();
        return;
      } else {
        await Promise.race([left, this.#news()]);
      }
    }
  }

  async #poll(from: number, response: ServerResponse, headers: Record<string, string>): Promise<void> {
    if (from >= this.log.length) await Promise.race([this.#news(), new Promise((resolve) => setTimeout(resolve, this.options.holdMilliseconds ?? 20).unref())]);
    const events = this.log.slice(from, from + (this.options.batch ?? 50));
    if (!events.length) response.writeHead(204, headers).end();
    else response.writeHead(200, { ...headers, "content-type": "application/x-ndjson" }).end(events.map((event, index) => envelope(event, from + index + 1)).join(""));
  }

  async #speak(socket: WebSocket, url: URL): Promise<void> {
    const say = (value: unknown) => socket.send(JSON.stringify(value));
    let position = this.#position(url.searchParams.get("lastEventId") ?? undefined);
    if (position >= this.log.length && this.status != "running") position = this.log.length - 1;
    this.readers++;
    socket.on("error", () => {}).on("close", () => this.readers--);
    const left = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    let sender: string | undefined;
    socket.on("message", (raw: Buffer, isBinary) => {
      if (isBinary) return socket.close(1003);
      const message = JSON.parse(raw.toString()) as { type: string; number: number; data: { id: string; next: number } & string };
      if (message.type == "perennial.stop") return this.end("stopped");
      if (message.type == "perennial.sender") sender = message.data.id;
      if (message.type == "perennial.send") {
        if (sender === undefined) return socket.close(4400);
        const received = this.#senders.get(sender) ?? 0;
        if (message.number > received + 1) return socket.close(4400);
        if (message.number <= received) this.duplicates++;
        else {
          this.taken.push(typeof message.data == "string" ? message.data : JSON.stringify(message.data));
          this.#senders.set(sender, message.number);
        }
      }
      if (sender !== undefined) say({ type: "perennial.ack", data: { received: this.#senders.get(sender) ?? 0 } });
    });
    say({ type: "perennial.hello", data: { heartbeat: this.options.heartbeat ?? 15 } });
    while (socket.readyState == 1) {
      const events = this.log.slice(position, position + (this.options.batch ?? 50));
      if (events.length) {
        for (const [index, event] of events.entries()) socket.send(envelope(event, position + index + 1));
        position += events.length;
        while (socket.bufferedAmount > 1 << 18 && socket.readyState == 1) await new Promise((resolve) => setTimeout(resolve, 1));
        await new Promise(setImmediate);
      } else if (this.status != "running") {
        socket.close(1000);
        return;
      } else {
        await Promise.race([left, this.#news()]);
      }
    }
  }

  /** Forgets who sent what, as a server that was replaced. */
  forgetSenders(): void {
    this.#senders.clear();
  }

  #position(id: string | undefined): number {
    return id ? Number(id.split("-")[1]) : 0;
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const envelope = (event: LogEvent, id: number): string => JSON.stringify({ id: `e-${id}`, type: event.type, data: event.data }) + "\n";

const sseEvent = (event: LogEvent, id: number): string =>
  `id: e-${id}\nevent: ${event.type}\n${event.data.split("\n").map((line) => `data: ${line}\n`).join("")}\n`;
