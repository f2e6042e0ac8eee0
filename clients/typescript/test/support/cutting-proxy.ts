import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Passes bytes on to a port, and breaks each connection after a number of bytes from the server, without a goodbye. */
export class CuttingProxy implements AsyncDisposable {
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param bytes How many bytes the next connection may carry to the client. */
  constructor(port: number, bytes: () => number) {
    this.#server = createServer((client) => {
      const upstream = connect(port, "127.0.0.1");
      let left = bytes();
      const cut = () => {
        client.resetAndDestroy();
        upstream.destroy();
      };
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on("error", cut).on("close", () => {
          this.#sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream);
      upstream.on("data", (block) => {
        if (block.length < left) {
          left -= block.length;
          if (!client.write(block)) {
            upstream.pause();
            client.once("drain", () => upstream.resume());
          }
          return;
        }
        this.cuts++;
        upstream.pause();
        client.write(block.subarray(0, left), cut);
      });
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  url(path = "/streams/one"): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
