import { Tally } from "../suite/tally.js";

/** Reads a run by nothing but what the browser has. */
function readByEventSource(url: string, count: number) {
  return new Promise<{ opened: number; lost: number; repeated: number; damaged: number }>((resolve) => {
    const tally = new Tally(count);
    const source = new EventSource(url);
    let opened = 0;
    source.onopen = () => opened++;
    source.onmessage = ({ data }) => tally.add(data as string);
    source.addEventListener("perennial.completed", () => {
      source.close();
      resolve({ opened, ...tally.result() });
    });
  });
}

declare global {
  interface Window {
    readByEventSource: typeof readByEventSource;
  }
}

window.readByEventSource = readByEventSource;
