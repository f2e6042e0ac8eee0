import { Ollama } from 'ollama';

export async function ollama({ base, stream, progress }) {
  const answer = await new Ollama({ host: base }).chat({ model: 'scripted', messages: [{ role: 'user', content: 'Hi' }], stream });
  const reading = { text: '', calls: [] };
  for await (const part of stream ? answer : [answer]) {
    progress();
    reading.text += part.message.content;
    reading.calls.push(...(part.message.tool_calls ?? []).map((call) => ({ name: call.function.name, arguments: call.function.arguments })));
    if (part.done) {
      reading.usage = { input: part.prompt_eval_count, output: part.eval_count };
    }
  }
  return reading;
}
