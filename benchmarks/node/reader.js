// One reader over one workload, as the .NET readers are: warms up, then answers each line of its input with
// CPU nanoseconds per message, bytes allocated per message (not known here: 0) and messages per second.
//
//   node reader.js eventsource http://127.0.0.1:PORT/sse-250-blocks 2000000

import { createInterface } from "node:readline";
import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { EventSource } from "eventsource";
import { EventSourceParserStream } from "eventsource-parser/stream";
import WebSocket from "ws";

const warmUpMilliseconds = 2000;
const [reader, url, countText] = process.argv.slice(2);
const count = Number(countText);

const readers = {
  async "eventsource-parser"(uri) {
    let seen = 0;
    const body = (await fetch(uri)).body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const event of body) seen += event.data.length > 0 ? 1 : 0;
    return seen;
  },

  "eventsource": (uri, wanted) => new Promise((resolve) => {
    let seen = 0;
    const source = new EventSource(uri);
    source.onmessage = (event) => {
      seen += event.data.length > 0 ? 1 : 0;
      if (seen === wanted) {
        source.close();
        resolve(seen);
      }
    };
  }),

  "ws": (uri) => new Promise((resolve, reject) => {
    let seen = 0;
    const socket = new WebSocket(uri.replace("http:", "ws:"), { perMessageDeflate: false });
    socket.on("message", (data) => { seen += data.toString().length > 0 ? 1 : 0; });
    socket.on("error", reject);
    socket.on("close", () => resolve(seen));
  }),

  async "signalr"(uri, wanted) {
    const at = new URL(uri);
    const connection = new HubConnectionBuilder()
      .withUrl(`${at.origin}/hub`, { transport: HttpTransportType.WebSockets, skipNegotiation: true })
      .configureLogging(LogLevel.None)
      .build();
    await connection.start();
    let seen = 0;
    await new Promise((resolve, reject) => connection.stream("Send", at.pathname.split("/")[1], wanted).subscribe({
      next: (text) => { seen += text.length > 0 ? 1 : 0; },
      complete: resolve,
      error: reject,
    }));
    await connection.stop();
    return seen;
  },
};

const read = (wanted) => readers[reader](`${url}/${wanted}`, wanted);

for (const start = Date.now(); Date.now() - start < warmUpMilliseconds;) await read(count / 10);

for await (const _ of createInterface({ input: process.stdin })) {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  const seen = await read(count);
  const elapsed = Number(process.hrtime.bigint() - start);
  const { user, system } = process.cpuUsage(cpu);
  if (seen < count) throw new Error(`${reader} saw ${seen} of ${count}.`);
  console.log(`${((user + system) * 1000) / count} 0 ${(count * 1e9) / elapsed}`);
}

process.exit(0);
