import type { StreamMessage } from "@perennial/client";

/** Asks the demo server, which answers from Perennial's README, and returns where the answer is to be read. */
export async function ask(question: string, server = ""): Promise<string> {
  const response = await fetch(`${server}/demo/answers`, { method: "POST", body: JSON.stringify({ text: question }) });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  const { run } = (await response.json()) as { run: string };
  return `${server}/streams/${run}`;
}

/** The text that a message of an answer adds to it. */
export const textOf = ({ type, data }: StreamMessage): string => (type == "token" ? data : "");

/** The answer that the address names: after a reload, or in a second tab, it is there again. */
export const answerInAddress = (): string | undefined => location.hash.slice(1) || undefined;

/** Asks, and notes the answer in the address. */
export async function askHere(question: string): Promise<string> {
  const url = await ask(question);
  history.replaceState(null, "", `#${url}`);
  return url;
}
