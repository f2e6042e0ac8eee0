import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Serves the scripts in a folder, each under its name and in a page of its own: `/reader` shows `reader.js`. */
export class Site implements AsyncDisposable {
  readonly #server: Server;

  constructor(folder: string) {
    this.#server = createServer(({ url }, response) => {
      const path = new URL(url!, "http://site").pathname;
      if (!/^\/[\w-]+(\.js)?$/.test(path)) response.writeHead(404).end();
      else if (path.endsWith(".js")) response.writeHead(200, { "content-type": "text/javascript" }).end(readFileSync(folder + path));
      else response.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body><script type="module" src="${path}.js"></script>`);
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
