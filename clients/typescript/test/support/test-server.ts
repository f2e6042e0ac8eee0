import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** The one of these files that was written last. */
export const newest = (paths: (string | undefined)[]): string | undefined =>
  paths.filter((path) => path !== undefined && existsSync(path)).sort((one, other) => statSync(other!).mtimeMs - statSync(one!).mtimeMs)[0];

/** Where a .NET program was built to, if it was. */
export const builtProgram = (folder: string, name: string): string | undefined =>
  newest(["Release", "Debug"].map((configuration) => `${folder}/bin/${configuration}/net10.0/${name}.dll`));

/** Why programs of .NET cannot run here. */
export const missingRuntime = process.env["PATH"]?.split(delimiter).some((folder) => existsSync(join(folder, "dotnet"))) ? undefined : ".NET is not installed";

const program = builtProgram("test/server", "Perennial.TestServer");

/** Why there is no real server here; where there must be one, that is an error of the tests. */
export const missing = missingRuntime ?? (program ? undefined : "the test server is not built: dotnet build test/server");

/** Whether everything has to be here. */
export const isRequired = process.env["CI"] == "true";

/** A real Perennial server in a process of its own, and lines to it that break. */
export class TestServer {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  static async start(): Promise<TestServer> {
    if (missing || !program) throw new Error(missing);
    const server = spawn("dotnet", [program], { stdio: ["pipe", "pipe", "inherit"] });
    for await (const line of createInterface(server.stdout)) return new TestServer(line, server);
    throw new Error("The test server said nothing.");
  }

  /** It ends with its input, and so with this process too. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.stdin!.end();
    await ended;
  }
}
