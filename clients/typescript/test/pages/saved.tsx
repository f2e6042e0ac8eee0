import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import { useTransport } from "../../src/react.js";
import type { TransportKind } from "../../src/types.js";

declare global {
  interface Window {
    shown: { readonly data: string[]; readonly reason: string | undefined; readonly url: string | undefined };
  }
}

const query = new URLSearchParams(location.search);

/** Shows an answer whose reader is slow: after each view it takes nothing for a moment, while more of the answer comes in. */
function Answer() {
  const { messages, end, transport } = useTransport({
    transport: query.get("kind") as TransportKind,
    url: query.get("url")!,
    body: { prompt: "Tell me a long story." },
    saveAs: "answer",
    idleTimeout: 60_000,
    reconnect: { maxAttempts: 1_000, initialDelay: 0 },
  });
  window.shown = { data: messages.map(({ data }) => data), reason: end?.reason, url: transport.resumePoint?.url };
  useEffect(() => {
    transport.pause();
    setTimeout(() => transport.resume(), 5);
  }, [messages, transport]);
  return <p>{messages.length}</p>;
}

createRoot(document.body).render(<Answer />);
