import { root, shows } from "./support/dom.js";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { compile } from "svelte/compiler";
import { writable } from "svelte/store";
import { WebSocket } from "ws";
import { sseStore, streamTextStore, type StreamSource, transportStore, websocketStore } from "../src/svelte.js";
import type { TransportOptions, TransportServices } from "../src/types.js";
import { StreamServer } from "./support/stream-server.js";

const services = { WebSocket: WebSocket as unknown as NonNullable<TransportServices["WebSocket"]> };

interface Client {
  start(target: HTMLElement, props: object): object;
  leave(component: object): Promise<void>;
}

/** A component that shows a store, compiled by Svelte as an application would. */
async function client(): Promise<Client> {
  const source = "<script>let { stream } = $props();</script><p>{$stream.state}: {$stream.messages.map(({ data }) => data).join('')}</p>";
  const folder = mkdtempSync("build/svelte-");
  writeFileSync(join(folder, "View.js"), compile(source, { generate: "client", name: "View" }).js.code);
  const { outputFiles } = await build({
    stdin: {
      contents: 'import { mount, unmount } from "svelte"; import View from "./View.js"; export const start = (target, props) => mount(View, { target, props }); export const leave = unmount;',
      resolveDir: folder,
    },
    bundle: true, format: "esm", conditions: ["browser"], write: false,
  });
  const path = join(folder, "client.mjs");
  writeFileSync(path, outputFiles[0]!.contents);
  const loaded = (await import(pathToFileURL(path).href)) as Client;
  rmSync(folder, { recursive: true });
  return loaded;
}

const { start, leave } = await client();

for (const [name, storeOf] of [["sseStore", sseStore], ["websocketStore", websocketStore], ["transportStore", transportStore]] as const) {
  test(`${name} shows messages as they come, over one connection for two views, and leaves with the last`, async () => {
    await using server = await new StreamServer().listen();
    server.write("Hel", "lo");
    const stream = storeOf({ url: server.url, services });
    const [first, second] = [root(), root()];
    const views = [start(first, { stream }), start(second, { stream })];
    await shows(first, "connected: Hello");
    server.write("!");
    await shows(first, "connected: Hello!");
    await shows(second, "connected: Hello!");
    assert.equal(server.requests.length, 1);
    await leave(views[0]!);
    server.write("?");
    await shows(second, "connected: Hello!?");
    await leave(views[1]!);
    while (server.readers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
}

test("Without a source there is no stream yet; a token that changes is used at the next attempt, over the same stream", async () => {
  await using server = await new StreamServer().listen();
  server.write("one");
  const source = writable<StreamSource<TransportOptions>>(undefined);
  const stream = sseStore(source);
  const elements = [root(), root()];
  const views = elements.map((element) => start(element, { stream }));
  await shows(elements[0]!, "idle: ");
  const options = { url: server.url, reconnect: { initialDelay: 0 } };
  source.set({ ...options, headers: { "x-token": "first" } });
  for (const element of elements) await shows(element, "connected: one");
  source.set({ ...options, headers: { "x-token": "second" } });
  server.cut();
  server.write("two");
  for (const element of elements) await shows(element, "connected: onetwo");
  assert.deepEqual(server.requests.map(({ headers }) => headers["x-token"]), ["first", "second"]);
  for (const view of views) await leave(view);
  while (server.readers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("streamTextStore joins what each message adds", async () => {
  await using server = await new StreamServer().listen();
  server.write("Hel", "lo");
  const store = streamTextStore({ transport: "sse", url: server.url });
  await new Promise<void>((resolve) => store.subscribe(({ text }) => text == "Hello" && resolve()));
  await store.getSnapshot().transport.close();
});
