import { type CreateTransport, creatorOf } from "./client.js";
import type { Connection, OpenContext, Protocol, ProtocolContext } from "./connection.js";
import { passing, TransportError } from "./errors.js";
import { openEnvelope } from "./json-lines.js";
import { createMessage, type Incoming } from "./message.js";
import { createNumberedSends, createSender, type Sender } from "./perennial-v1.js";
import { cannotStop } from "./response.js";
import { classifyJson, meaningOf } from "./signals.js";
import { tooLarge } from "./sse-parser.js";
import type { OutgoingRequest } from "./types.js";
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
export const websocket: Protocol = { kind: "websocket", create: (context) => connect.bind(undefined, context, createSender()) };

/** Makes a transport over WebSocket. `http` URLs are taken for `ws`. */
export const createTransport: CreateTransport = creatorOf(websocket);

async function connect({ settings, sends, target }: ProtocolContext, sender: Sender, { lastEventId, signal }: OpenContext) {
  const { services, buffer: { capacity }, maxMessageLength, heartbeat } = settings;
  const request: OutgoingRequest = { url: new URL(target.url ?? settings.url), headers: new Headers() };
  request.url.protocol = request.url.protocol.replace("http", "ws");
  if (lastEventId !== undefined) request.url.searchParams.set("lastEventId", lastEventId);
  await within(settings.configureRequest?.(request, { rejected: false }), signal);
  if (!services.WebSocket) throw new TransportError("connect-failed", "no WebSocket here, see services");

  const offered = [...(settings.protocols ?? [SUBPROTOCOL])];
  const socket = new services.WebSocket(request.url, offered);
  socket.binaryType = "arraybuffer";
  const numbered = createNumberedSends(sends, sender, settings, signal, say);
  const bell = createBell();
  let isPerennial = false;
  let queue: Incoming[] = [];
  let fault: TransportError | undefined;      // behind what is in the queue
  let isOver = false;
  let refuseStop = (_: TransportError) => {};
  let cancelPing = () => {};

  const connection: { -readonly [Member in keyof Connection]: Connection[Member] } = {
    longestSilence: heartbeat && heartbeat.interval + heartbeat.timeout,
    marksEnd: false,
    repeatsSends: false,
    bytes: 0,

    async read() {
      await bell.until(() => queue.length || fault || isOver, signal);
      const batch = queue;
      queue = [];
      if (!batch.length && fault) throw fault;
      socket.resume?.();
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
      return within(new Promise<void>((_, reject) => {
        refuseStop = reject;
        onAbort(signal, () => reject(passing("connection-lost")), limit);
      }), limit);
    },
    close() {
      cancelPing();
      if (isOver) return;
      // A peer that does not answer the goodbye is left without one, where the platform can.
      socket.onclose = after(services, CLOSE_LIMIT, () => socket.terminate?.());
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
        resolve();
      };
      socket.onclose = ({ code }: { code: number }) => {
        isOver = true;
        if (isPerennial || !(code == 1000 || code == 1005)) fault ??= closeError(code);
        bell.ring();
        // A browser does not say why a handshake failed.
        reject(isPerennial ? fault : passing("connect-failed", `${settings.url.host} (${offered})`));
      };
      socket.onerror = () => {};
    }), signal);
  } catch (error) {
    connection.close();
    throw error;
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
      fault = error as TransportError;
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
    if (socket.pause) return socket.pause();
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
const closeError = (code: number): TransportError =>
  new TransportError(code == 1006 ? "connection-lost" : "closed-by-peer", code, { transient: !FINAL.test(`${code}`), closeCode: code });
