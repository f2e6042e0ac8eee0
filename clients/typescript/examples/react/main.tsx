import { type FormEvent, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { useStreamText } from "@perennial/client/react";
import { answerInAddress, askHere, textOf } from "../ask.js";

function App() {
  const [url, setUrl] = useState(answerInAddress);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setUrl(await askHere(new FormData(event.currentTarget).get("question") as string));
  };
  return (
    <main>
      <h1>React: an answer that survives its line</h1>
      <form onSubmit={submit}>
        <input name="question" aria-label="Your question" defaultValue="Show me the client" required />
        <button>Ask</button>
      </form>
      {url && <Answer key={url} url={url} />}
    </main>
  );
}

function Answer({ url }: { url: string }) {
  const { text, messages, state, attempt, end, transport } = useStreamText({ url }, textOf);
  const shown = end?.reason ?? state;
  return (
    <article>
      <header>
        <span className="state" data-state={shown} role="status">{shown}</span>
        <span>{messages.length} messages over {transport.kind}{attempt > 0 && `, attempt ${attempt}`}</span>
        <button disabled={!!end} onClick={() => void transport.stop()}>Stop</button>
      </header>
      <p className="answer">{text}</p>
    </article>
  );
}

createRoot(document.getElementById("app")!).render(<StrictMode><App /></StrictMode>);
