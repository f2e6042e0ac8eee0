import { TextDecoder, TextEncoder } from "node:util";
import { createTransport } from "@perennial/client";
import { createTransport as createSse } from "@perennial/client/sse";

// jsdom has neither; the client needs both.
Object.assign(globalThis, { TextDecoder, TextEncoder });

/** As React Native has it: no stream, the whole text at the end. */
const answer = { ok: true, status: 200, url: "", body: null, headers: new Map([["content-type", "text/event-stream"]]), text: async () => "data: Hel\n\ndata: lo\n\ndata: [DONE]\n\n" };

test("a transport needs no global where the services are given", async () => {
  const asked = [];
  for (const create of [createSse, (options) => createTransport({ transport: "sse", ...options })]) {
    const transport = create({ url: "/streams/42", services: { fetch: async (url) => (asked.push(url.href), answer) } });
    let text = "";
    for await (const { data } of transport) text += data;
    expect(text).toBe("Hello");
    expect((await transport.completion).reason).toBe("completed");
  }
  expect(asked).toEqual(["http://localhost/streams/42", "http://localhost/streams/42"]);
});
