import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { builtProgram, missingRuntime } from "./test-server.js";

const program = builtProgram("../../src/Perennial.Cli", "Perennial.Cli");

/** Why there is no demo server here. */
export const missingDemo = missingRuntime ?? (program ? undefined : "the perennial command is not built: dotnet build ../../src/Perennial.Cli");

/** What a program says first that looks like an address. */
export async function addressFrom({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface(stdout!)) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url) return url;
  }
  throw new Error("The server said nothing.");
}

/** Ends a program as Ctrl-C does. */
export async function interrupt(program: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => program.once("exit", resolve));
  program.kill("SIGINT");
  await ended;
}

/** `perennial serve --demo`, with more options. */
export class DemoServer {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  static start = (...options: string[]): Promise<DemoServer> => DemoServer.startAt("http://127.0.0.1:0", ...options);

  /** At an address, which a server before may have had. */
  static async startAt(url: string, ...options: string[]): Promise<DemoServer> {
    if (missingDemo || !program) throw new Error(missingDemo);
    const server = spawn("dotnet", [program, "serve", "--demo", "--url", url, ...options], { stdio: ["ignore", "pipe", "inherit"] });
    return new DemoServer(await addressFrom(server), server);
  }

  close = () => interrupt(this.process);
}

/** The text of an answer, read without any client. */
export async function textOf(run: string): Promise<string> {
  const response = await fetch(run, { headers: { accept: "application/x-ndjson" } });
  const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line) as { type?: string; data?: string });
  return lines.filter(({ type }) => type == "token").map(({ data }) => data).join("");
}
