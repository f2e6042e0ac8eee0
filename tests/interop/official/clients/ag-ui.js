import { HttpAgent } from '@ag-ui/client';

export async function agUI({ base, progress }) {
  const agent = new HttpAgent({ url: base, initialMessages: [{ id: 'u', role: 'user', content: 'Hi' }] });
  // An error of the agent is an event, which does not reject the promise.
  let failure;
  const subscriber = {
    onTextMessageContentEvent: () => progress(),
    onRunErrorEvent: ({ event }) => {
      failure = new Error(event.message);
    },
  };
  const { newMessages, result } = await agent.runAgent({}, subscriber).catch((error) => {
    throw failure ?? error;
  });
  if (failure) {
    throw failure;
  }

  const calls = newMessages.flatMap((message) => message.toolCalls ?? []);
  return {
    text: newMessages.map((message) => message.content ?? '').join(''),
    calls: calls.map((call) => ({ name: call.function.name, arguments: JSON.parse(call.function.arguments) })),
    usage: result?.usage && { input: result.usage.inputTokens, output: result.usage.outputTokens },
  };
}
