import { createTransport } from "@perennial/client";
import { answerInAddress, askHere } from "../ask.js";

document.getElementById("app")!.innerHTML = `
  <main>
    <h1>No framework: an answer that survives its line</h1>
    <form>
      <input name="question" aria-label="Your question" value="Show me the client" required>
      <button>Ask</button>
    </form>
    <article hidden>
      <header>
        <span class="state" role="status"></span>
        <span class="count"></span>
        <button class="stop">Stop</button>
      </header>
      <p class="answer"></p>
    </article>
  </main>`;

const find = <T extends HTMLElement>(selector: string) => document.querySelector<T>(selector)!;
const stop = find<HTMLButtonElement>(".stop");
let leave = () => {};

find("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  show(await askHere(find<HTMLInputElement>("input").value));
});
const known = answerInAddress();
if (known) show(known);

/** Shows an answer in place of the one before. */
async function show(url: string): Promise<void> {
  leave();
  const transport = createTransport({ url });
  find("article").hidden = false;
  find(".answer").textContent = "";
  stop.onclick = () => void transport.stop();

  const end = transport.subscribe(({ state, attempt, end, messagesReceived }) => {
    const shown = end?.reason ?? state;
    find(".state").textContent = find(".state").dataset["state"] = shown;
    find(".count").textContent = `${messagesReceived} messages over ${transport.kind}${attempt ? `, attempt ${attempt}` : ""}`;
    stop.disabled = !!end;
  });
  leave = () => (end(), void transport.close());

  for await (const { type, data } of transport) {
    if (type == "token") find(".answer").append(data);
  }
}
