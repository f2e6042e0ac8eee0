import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** How one request is answered. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly ending?: "complete" | "reset";
  /** How many messages `body` holds. Default: as many as it has lines of data. */
  readonly messages?: number;
}

/** Gives one answer after the other, and the last one to all that follow. Resets a connection once all messages on it were received. */
export async function serveAnswers(answers: readonly Answer[], received: () => number) {
  const requests: string[] = [];
  let written = 0;
  const keys = new Set<string | undefined>();
  const server = createServer(async (request, response) => {
    const { status, headers = {}, body = "", ending, messages = body.split("data:").length - 1 } = answers[Math.min(requests.length, answers.length - 1)]!;
    const lastEventId = request.headers["last-event-id"];
    requests.push(`${request.method}${lastEventId === undefined ? "" : ` ${String(lastEventId)}`}`);
    if (request.method == "POST") keys.add(request.headers["idempotency-key"] as string | undefined);
    if (status === undefined) return void request.socket.resetAndDestroy();
    response.writeHead(status, headers);
    if (ending != "reset") return void response.end(body);
    response.flushHeaders();
    response.write(body);
    written += messages;
    while (received() < written && !response.destroyed) await new Promise(setImmediate);
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
