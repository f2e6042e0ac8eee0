import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { compile } from "svelte/compiler";
import { render } from "svelte/server";
import type { StreamView } from "../src/store.js";
import { createSSRApp, h } from "vue";
import { renderToString as renderVue } from "vue/server-renderer";

// What is published, by the name users import it by.
const published = async <T>(entry: string): Promise<T> => (await import(`@perennial/client${entry}`)) as T;
const react = await published<typeof import("../src/react.js")>("/react");
const svelte = await published<typeof import("../src/svelte.js")>("/svelte");
const vue = await published<typeof import("../src/vue.js")>("/vue");

// No page, as on a server: nothing to resolve a relative URL against, and nothing may be asked for.
const fetch = () => assert.fail("a server that renders connects nothing");
const options = { url: "/streams/42", sendUrl: "messages", resumeFrom: { url: "https://example.com/streams/42" }, saveAs: "answer", services: { fetch } };
const texts = ({ state, messages, text }: StreamView) => `${state} ${messages.length} ${text.length}`;

for (const [name, use] of Object.entries({ useTransport: react.useTransport, useSSE: react.useSSE, useWebSocket: react.useWebSocket, useStreamText: react.useStreamText })) {
  test(`React renders ${name} of a relative URL on a server`, () => {
    assert.equal(renderToString(createElement(() => createElement("p", null, texts(use(options))))), "<p>idle 0 0</p>");
  });
}

for (const [name, use] of Object.entries({ useTransport: vue.useTransport, useSSE: vue.useSSE, useWebSocket: vue.useWebSocket, useStreamText: vue.useStreamText })) {
  test(`Vue renders ${name} of a relative URL on a server`, async () => {
    const app = createSSRApp({ setup() { const stream = use(options); return () => h("p", texts(stream.value)); } });
    assert.equal(await renderVue(app), "<p>idle 0 0</p>");
  });
}

for (const [name, open] of Object.entries({ transportStore: svelte.transportStore, sseStore: svelte.sseStore, websocketStore: svelte.websocketStore, streamTextStore: svelte.streamTextStore })) {
  test(`Svelte renders ${name} of a relative URL on a server`, async () => {
    const source = "<script>let { stream } = $props();</script><p>{$stream.state} {$stream.messages.length} {$stream.text.length}</p>";
    const folder = mkdtempSync("build/svelte-server-");
    const path = join(folder, "View.js");
    writeFileSync(path, compile(source, { generate: "server", name: "View" }).js.code);
    const { default: View } = (await import(pathToFileURL(path).href)) as { default: Parameters<typeof render>[0] };
    assert.match(render(View, { props: { stream: open(options) } as never }).body, /<p>idle 0 0<\/p>/);
    rmSync(folder, { recursive: true });
  });
}

test("After a server rendered, nothing is connected", async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
});
