import { Window } from "happy-dom";

/** A light page, put where frameworks look for one. Import it before them. */
const page = new Window({ url: "http://127.0.0.1/" });
Object.assign(globalThis, {
  window: page,
  document: page.document,
  IS_REACT_ACT_ENVIRONMENT: true,
});
for (const name of ["navigator", "Node", "Element", "HTMLElement", "SVGElement", "Text", "Comment", "MutationObserver", "HTMLIFrameElement", "MathMLElement", "HTMLMediaElement", "DocumentFragment", "requestAnimationFrame", "cancelAnimationFrame"] as const) {
  Object.defineProperty(globalThis, name, { value: (page as unknown as Record<string, unknown>)[name], configurable: true, writable: true });
}

export const root = (): HTMLElement => document.body.appendChild(document.createElement("div"));

/** Waits until the text of an element is this. */
export async function shows(element: HTMLElement, text: string): Promise<void> {
  for (const limit = Date.now() + 10_000; element.textContent != text; await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (Date.now() > limit) throw new Error(`"${element.textContent}" is not "${text}"`);
  }
}
