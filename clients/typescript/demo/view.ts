import { createMarkdown } from "./markdown.js";

/** The elements of the page by their ids, of which each is there. */
export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no ${id}.`);
  return found as T;
}

/** Shows a text, and touches nothing where it is shown already. */
export function show(id: string, text: string | number): void {
  const target = element(id);
  if (target.textContent != String(text)) target.textContent = String(text);
}

/** The answer as it grows, and a view that follows it as long as its reader is at the end. It is laid out once a frame, not once a token. */
export function createAnswer() {
  const answer = element("answer");
  const scroll = element("scroll");
  const text = createMarkdown(answer);
  let pending = "";
  let frame: number | undefined;

  return {
    append(token: string): void {
      pending += token;
      frame ??= requestAnimationFrame(draw);
    },
    draw,
    setBusy: (isBusy: boolean) => answer.setAttribute("aria-busy", String(isBusy)),
  };

  /** Shows what was appended since the last frame. */
  function draw(): void {
    if (frame !== undefined) cancelAnimationFrame(frame);
    frame = undefined;
    if (!pending) return;
    const isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
    text.append(pending);
    pending = "";
    if (isAtEnd) scroll.scrollTop = scroll.scrollHeight;
  }
}

const started = performance.now();

/** Notes what happened, newest first; the last forty are kept. */
export function note(text: string, kind: "good" | "bad" | "plain" = "plain"): void {
  const item = document.createElement("li");
  const time = document.createElement("time");
  const what = document.createElement("span");
  time.textContent = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  what.textContent = text;
  item.dataset["kind"] = kind;
  item.append(time, what);
  const log = element("log");
  log.prepend(item);
  while (log.childElementCount > 40) log.lastElementChild?.remove();
}

/** Turns a toggle button, and returns whether it is on now. */
export function toggle(button: HTMLElement): boolean {
  const isOn = button.getAttribute("aria-pressed") != "true";
  button.setAttribute("aria-pressed", String(isOn));
  return isOn;
}
