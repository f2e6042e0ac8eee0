import { useState } from "react";
import { createRoot } from "react-dom/client";
import { useStreamText } from "../../src/react.js";

const url = new URLSearchParams(location.search).get("url")!;

/** Shows the end of an answer as it comes, once it is asked for. */
function Answer() {
  const [isAsked, ask] = useState(false);
  const { text, messages, end } = useStreamText(isAsked ? { transport: "sse", url } : undefined);
  if (!isAsked) return <button onClick={() => ask(true)}>Ask</button>;
  return <p data-reason={end?.reason} data-count={messages.length}>{text.slice(-1_000)}</p>;
}

createRoot(document.body).render(<Answer />);
