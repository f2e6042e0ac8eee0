import { A2AClient } from '@a2a-js/sdk/client';

export async function a2a({ base, stream, progress }) {
  // The card names the agent's own address. An application that goes through a gateway puts the gateway's in its place.
  const card = await (await fetch(new URL('.well-known/agent-card.json', base))).json();
  const client = new A2AClient({ ...card, url: new URL('a2a', base).href });
  const message = { message: { kind: 'message', messageId: 'u', role: 'user', parts: [{ kind: 'text', text: 'Hi' }] } };
  const reading = { text: '', calls: [] };
  if (!stream) {
    const answer = await client.sendMessage(message);
    if (answer.error) {
      throw new Error(answer.error.message);
    }

    return { ...reading, text: textOf(answer.result.artifacts), usage: usageOf(answer.result) };
  }

  for await (const event of client.sendMessageStream(message)) {
    progress();
    if (event.kind === 'artifact-update') {
      reading.text += textOf([event.artifact]);
    } else if (event.final) {
      reading.usage = usageOf(event);
    }
  }
  return reading;
}

const textOf = (artifacts) => artifacts.flatMap((artifact) => artifact.parts).map((part) => part.text).join('');

const usageOf = ({ metadata }) => metadata?.usage && { input: metadata.usage.inputTokens, output: metadata.usage.outputTokens };
