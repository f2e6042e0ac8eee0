import { hydrateRoot } from "react-dom/client";
import { createSSRApp, h } from "vue";
import * as react from "../../src/react.js";
import type { StreamView } from "../../src/store.js";
import * as svelte from "../../src/svelte.js";
import * as vue from "../../src/vue.js";

declare global {
  interface Window {
    complaints: unknown[];
  }
}

window.complaints = [];
const warn = console.warn;
console.warn = (...told) => (window.complaints.push(told.join(" ")), warn(...told));
const options = { transport: "sse", url: "/streams/42" } as const;
const shown = ({ state, end, text }: StreamView) => `${end?.reason ?? state} ${text}`;

/** The place of a framework, with what a server rendered there. */
function placeOf(framework: string): HTMLElement {
  const place = document.body.appendChild(document.createElement("div"));
  place.id = framework;
  place.innerHTML = new URLSearchParams(location.search).get(framework) ?? "";
  return place;
}

const Answer = () => <p>{shown(react.useStreamText(options))}</p>;
hydrateRoot(placeOf("react"), <Answer />, { onRecoverableError: (error) => window.complaints.push(String(error)) });

createSSRApp({ setup() { const stream = vue.useStreamText(options); return () => h("p", shown(stream.value)); } }).mount(placeOf("vue"));

const place = placeOf("svelte");
svelte.streamTextStore(options).subscribe((view) => (place.textContent = shown(view)));
