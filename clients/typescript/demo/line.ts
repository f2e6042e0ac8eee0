/** The visitor's own line to the server, and what may be done to it. */
export interface Line {
  /** Where streams are read over the line, as it is or through a proxy that buffers. */
  origin(buffered: boolean): string;
  act(action: "cut" | "stall" | "resume"): Promise<void>;
}

/** Asks the server, past all lines, for one. */
export async function openLine(): Promise<Line> {
  const { line, plain, buffered } = await post<{ line: string; plain: string; buffered: string }>("/demo/lines");
  return {
    origin: (isBuffered) => (isBuffered ? buffered : plain),
    act: (action) => post(`/demo/lines/${line}/${action}`),
  };
}

/** Asks a question; returns the name of the run that answers. */
export const ask = async (text: string): Promise<string> => (await post<{ run: string }>("/demo/answers", { text })).run;

async function post<T = void>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, { method: "POST", body: body === undefined ? null : JSON.stringify(body) });
  if (!response.ok) throw new Error(`The server answered ${response.status} to ${path}.`);
  return (response.status == 204 ? undefined : await response.json()) as T;
}
