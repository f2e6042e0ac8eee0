import { createTransport } from "@perennial/client/sse";
import { ask } from "../ask.js";

// Asks what stands on the command line, and writes the answer as it comes. Ctrl-C stops the answer, not just this reader.
const [server, question = "Show me the client"] = process.argv.slice(2);
const transport = createTransport({ url: await ask(question, server) });
transport.on("reconnecting", ({ attempt, delay }) => console.error(`\n(line lost; attempt ${attempt} in ${Math.round(delay)} ms)`));
process.once("SIGINT", () => void transport.stop());

for await (const { type, data } of transport) {
  if (type == "token") process.stdout.write(data);
}
console.error(`(${(await transport.completion).reason})`);
