import { StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { useTransport } from "../../src/react.js";
import type { TransportKind } from "../../src/types.js";

const query = new URLSearchParams(location.search);
const kind = query.get("kind") as TransportKind;
const url = query.get("url")!;
let mounts = 0;

function Answer() {
  const { messages, state } = useTransport({ transport: kind, url, idleTimeout: 60_000 });
  useEffect(() => void mounts++, []);
  return <p data-state={state} data-mounts={mounts}>{messages.map(({ data }) => data).join("|")}</p>;
}

createRoot(document.body).render(<StrictMode><Answer /></StrictMode>);
