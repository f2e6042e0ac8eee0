import { type CreateTransport, creatorOf } from "./client.js";
import type { Connection, OpenContext, Protocol, ProtocolContext } from "./connection.js";
import { blockAt, watchPolicy } from "./blocked.js";
import { passing, TransportError } from "./errors.js";
import { openEnvelope } from "./json-lines.js";
import { createMessage, type Incoming } from "./message.js";
import { createNumberedSends, createSender, type Sender } from "./perennial-v1.js";
import { configured } from "./requests.js";
import { cannotStop } from "./response.js";
import { fill } from "./settings.js";
import { classifyJson, meaningOf } from "./signals.js";
import { tooLarge } from "./sse-parser.js";
import { createSocket, handshakeError } from "./socket.js";
import { after, createBell, onAbort, within } from "./waiting.js";

export * from "./exports.js";

const SUBPROTOCOL = "perennial.v1";
const CLOSE_LIMIT = 2_000;

/**
 * A WebSocket: with the subprotocol `perennial.v1`, resumed exactly and with sends that arrive once; without it, plain messages.
 *
 * A browser's WebSocket cannot be told to read no further. Where the reader falls behind by more than the buffer holds once again, the
 * connection is left, and resumed when there is room: nothing is lost where the server numbers its events, and memory stays bounded.
 * Where the socket can be paused, as that of `ws` on Node can, it is.
 */
export const websocket: Protocol = {
  kind: "websocket",
  create(context) {
    const { heartbeat } = context.settings;
    if (heartbeat) fill(heartbeat, "heartbeat.", 1, { interval: 0, timeout: 0 });
    return connect.bind(undefined, context, createSender());
  },
};

/** Makes a transport over WebSocket. `http` URLs are taken for `ws`. */
export const createTransport: CreateTransport = creatorOf(websocket);

/** Connects, once more where the handshake was refused for want of credentials. */
async function connect(context: ProtocolContext, sender: Sender, open: OpenContext): Promise<Connection> {
  for (let rejected = false; ; rejected = true) {
    try {
      return await handshake(context, sender, open, rejected);
    } catch (failure) {
      if ((failure as TransportError).status != 401 || rejected || !context.settings.configureRequest) throw failure;
    }
  }
}

async function handshake({ settings, sends, target }: ProtocolContext, sender: Sender, { lastEventId, signal }: OpenContext, rejected: boolean): Promise<Connection> {
  const { services, buffer: { capacity }, maxMessageLength, heartbeat } = settings;
  const url = new URL(target.url ?? settings.url);
  if (lastEventId !== undefined) url.searchParams.set("lastEventId", lastEventId);
  const request = await configured(settings, url, new Headers(settings.headers()), rejected, signal);
  request.url.protocol = request.url.protocol.replace("http", "ws");

  if (!IN_NODE) watchPolicy();
  const offered = [...(settings.protocols ?? [SUBPROTOCOL])];
  const socket = createSocket(services, request, offered);
  socket.binaryType = "arraybuffer";
  const numbered = createNumberedSends(sends, sender, settings, signal, say);
  const bell = createBell();
  let isPerennial = false;
  let isGreeted = false;                      // perennial.hello has come: the subprotocol is spoken, not merely repeated
  let queue: Incoming[] = [];
  let fault: TransportError | undefined;      // behind what is in the queue
  let isOver = false;
  let refuseStop = (_: TransportError) => {};
  let cancelPing = () => {};

  const connection: { -readonly [Member in keyof Connection]: Connection[Member] } = {
    longestSilence: heartbeat && heartbeat.interval + heartbeat.timeout,
    marksEnd: false,
    repeatsSends: () => false,
    bytes: 0,

    async read() {
      await bell.until(() => queue.length || fault || isOver, signal);
      const batch = queue;
      queue = [];
      if (!batch.length && fault) throw fault;
      if (IN_NODE) socket.resume?.();
      return batch.length ? batch : undefined;
    },
    classify(message) {
      if (heartbeat && !isPerennial && /^\s*\{\s*"type"\s*:\s*"p[io]ng"/.test(message.data)) {
        if (message.data.includes("ping")) say('{"type":"pong"}');
        return "ignored";
      }
      return meaningOf(message, settings, isPerennial, classifyJson);
    },
    canResume: () => true,
    async send({ data }) {
      socket.send(data);
      return "sent";
    },
    stop(limit) {
      if (!isPerennial) return cannotStop();
      say('{"type":"perennial.stop"}');
      let stopListening = () => {};
      return within(new Promise<void>((_, reject) => {
        refuseStop = reject;
        stopListening = onAbort(signal, () => reject(passing("connection-lost")));
      }), limit).finally(stopListening);
    },
    close() {
      cancelPing();
      if (isOver) return;
      // A peer that does not answer the goodbye is left without one, where the platform can.
      socket.onclose = IN_NODE ? after(services, CLOSE_LIMIT, () => socket.terminate?.()) : null;
      socket.close(fault?.code == "message-too-large" ? 4413 : 1000);
    },
  };

  // All of it before the first wait: what comes with the handshake would be missed.
  try {
    await within(new Promise<void>((resolve, reject) => {
      socket.onopen = () => {
        isPerennial = connection.marksEnd = socket.protocol == SUBPROTOCOL;
        if (isPerennial) connection.sendAll = numbered.run;
        else resolve();
        keepAsking();
      };
      socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
        receive(typeof data == "string" ? data : new Uint8Array(data));
        if (fault && !isGreeted) reject(fault);
        resolve();
      };
      socket.onclose = ({ code, reason }: { code: number; reason?: string }) => {
        isOver = true;
        if (isPerennial || !(code == 1000 || code == 1005)) fault ??= closeError(code, reason);
        bell.ring();
        reject(isPerennial ? fault : handshakeError(settings, offered, {}));
      };
      // Not always followed by a close: a content security policy has it alone.
      socket.onerror = (event: { message?: string; error?: unknown }) => reject(handshakeError(settings, offered, event));
    }), signal);
  } catch (error) {
    connection.close();
    if (IN_NODE || (error as Partial<TransportError>).code != "connect-failed") throw error;
    throw passing("connect-failed", `${url.host} (${offered})`, { cause: error, ...(await blockAt(request.url, services, signal)) });
  }
  return connection;

  function receive(data: string | Uint8Array): void {
    if (fault) return;      // what follows damage does not count
    connection.onActivity?.();
    connection.bytes += data.length;
    keepAsking();
    try {
      const found = read(data);
      if (found) queue.push(found);
    } catch (error) {
      fault = error instanceof TransportError ? error : new TransportError("protocol-violation", "", { cause: error });
    }
    if (queue.length > capacity) slowDown();
    bell.ring();
  }

  function say(json: string): void {
    if (socket.readyState == 1) socket.send(json);
  }

  function read(data: string | Uint8Array): Incoming | undefined {
    if (data.length > maxMessageLength) throw tooLarge();
    if (typeof data != "string") {
      if (isPerennial) throw new TransportError("protocol-violation", "binary");
      return { message: createMessage("", undefined, undefined, data) };
    }
    if (!isPerennial) return { message: createMessage(data) };
    const found = openEnvelope(data);
    const type = found.message?.type;
    const said = <T>() => found.message!.json<T>();
    if (!isGreeted && type != "perennial.hello") throw new TransportError("protocol-violation", "no perennial.hello");
    isGreeted = true;
    if (type == "perennial.hello") {
      const { heartbeat, cursor } = said<{ heartbeat?: number; cursor?: string }>();
      if (heartbeat! > 0) connection.longestSilence = heartbeat! * 3000;
      // A cursor that was asked for stays until the events, or a gap, that follow it are here.
      return lastEventId === undefined && cursor ? { id: cursor } : undefined;
    }
    if (type == "perennial.ack") return void numbered.acknowledged(said<{ received: number }>().received);
    if (type == "perennial.refused") {
      const { number, request, code, message: text } = said<{ number: number; request?: string; code?: string; message?: string }>();
      if (request == "stop") refuseStop(new TransportError("send-rejected", "stop", { serverCode: code, serverMessage: text }));
      return void numbered.refused(number, code, text);
    }
    return found;
  }

  function slowDown(): void {
    if (IN_NODE && socket.pause) return socket.pause();
    fault = passing("overrun");      // what is in the queue is handed over first
    socket.close(1000);
  }

  /** Asks a server that speaks plain messages for a sign of life. */
  function keepAsking(): void {
    cancelPing();
    if (heartbeat && !isPerennial) cancelPing = after(services, heartbeat.interval, () => say('{"type":"ping"}'));
  }
}

/** Closes after which the same attempt would fail again: violations, refusals, and 4000 plus an HTTP status that says so (docs/protocol.md). */
const FINAL = /^(100[237-9]|1010|300[03]|44(?!08|29)..)$/;

/** A close that is not the end of the stream (RFC 6455, 7.4.1, and the registry it set up). */
const closeError = (code: number, reason?: string): TransportError =>
  new TransportError(code == 1006 ? "connection-lost" : "closed-by-peer", code, { transient: !FINAL.test(`${code}`), closeCode: code, serverMessage: reason || undefined });
