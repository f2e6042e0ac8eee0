import { createTransport } from "@perennial/client";
import { createTransport as createSse } from "@perennial/client/sse";

globalThis.result = [createTransport, createSse].map((create) => create({ url: "https://example.com/" }).kind).join();
