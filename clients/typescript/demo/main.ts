import type { TransportKind } from "../src/index.js";
import { ask, type Line, openLine } from "./line.js";
import { createReader, type Reader } from "./reader.js";
import { element, note, toggle } from "./view.js";

/** The page: one run at a time, named in the URL's hash, so that a reload or another tab reads the same one. */
let line: Line;
let reader: Reader | undefined;
let isSlow = false;
let isBuffered = false;

const prompt = element<HTMLInputElement>("prompt");
const stop = element<HTMLButtonElement>("stop");
const tab = element<HTMLButtonElement>("tab");

async function start(): Promise<void> {
  line = await openLine();
  const { form } = hash();
  if (form) formInput(form).checked = true;
  open();
}

const hash = () => {
  const parts = new URLSearchParams(location.hash.slice(1));
  return { run: parts.get("run") ?? undefined, form: parts.get("via") ?? undefined };
};

const form = () => document.querySelector<HTMLInputElement>("input[name=form]:checked")?.value as TransportKind;

const formInput = (name: string): HTMLInputElement => document.querySelector<HTMLInputElement>(`input[name=form][value="${CSS.escape(name)}"]`) ?? formInput("auto");

/** Reads the run that the hash names, from its beginning. */
function open(): void {
  const { run } = hash();
  reader?.close();
  reader = undefined;
  element("exchange").hidden = run === undefined;
  element("welcome").hidden = run !== undefined;
  stop.disabled = tab.disabled = run === undefined;
  if (run === undefined) return;
  element("question").textContent = "";
  reader = createReader(run, () => isSlow);
  readOn();
}

const readOn = () => reader?.read({ form: form(), origin: line.origin(isBuffered) });

/** Shows what went wrong where the visitor looks, and nothing worse. */
const trying = (action: () => Promise<void>) => () => void action().catch((error: unknown) => note(error instanceof Error ? error.message : String(error), "bad"));

element("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = prompt.value.trim();
  if (text) trying(() => begin(text))();
});

async function begin(text: string): Promise<void> {
  const run = await ask(text);
  prompt.value = "";
  location.hash = `run=${run}&via=${form()}`;       // opens it
}

element("chips").addEventListener("click", ({ target }) => {
  if (target instanceof HTMLButtonElement) trying(() => begin(target.textContent ?? ""))();
});

element("forms").addEventListener("change", () => {
  const { run } = hash();
  if (run === undefined) return;
  history.replaceState(null, "", `#run=${run}&via=${form()}`);
  note(`switched to ${form()}`);
  readOn();
});

element("cut").addEventListener("click", trying(() => line.act("cut")));
element("stall").addEventListener("click", ({ currentTarget }) => {
  const isStalled = toggle(currentTarget as HTMLElement);
  note(isStalled ? "line stalled" : "line flows again");
  trying(() => line.act(isStalled ? "stall" : "resume"))();
});
element("buffering").addEventListener("click", ({ currentTarget }) => {
  isBuffered = toggle(currentTarget as HTMLElement);
  note(isBuffered ? "now through a buffering proxy" : "now without the proxy");
  readOn();
});
element("slow").addEventListener("click", ({ currentTarget }) => {
  isSlow = toggle(currentTarget as HTMLElement);
});
stop.addEventListener("click", trying(async () => reader?.stop()));
tab.addEventListener("click", () => window.open(location.href, "_blank", "noopener"));
addEventListener("hashchange", open);

trying(start)();
