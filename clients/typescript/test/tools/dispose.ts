import { createTransport } from "@perennial/client";

export async function run(): Promise<void> {
  await using transport = createTransport({ url: "https://example.com/" });
  await transport.connect();
}
