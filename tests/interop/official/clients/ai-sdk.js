import { AbstractChat, DefaultChatTransport } from 'ai';

// What useChat is made of, without React.
class Chat extends AbstractChat {}

class State {
  status = 'ready';
  error = undefined;
  messages = [];

  constructor(progress) {
    this.replaceMessage = (index, message) => {
      this.messages[index] = message;
      progress();
    };
    this.pushMessage = (message) => {
      this.messages.push(message);
      if (message.role === 'assistant') {
        progress();
      }
    };
    this.popMessage = () => this.messages.pop();
    this.snapshot = (thing) => structuredClone(thing);
  }
}

export async function aiSdk({ base, progress }) {
  const chat = new Chat({ transport: new DefaultChatTransport({ api: base }), state: new State(progress) });
  await chat.sendMessage({ text: 'Hi' });
  if (chat.status === 'error') {
    throw chat.error;
  }

  const message = chat.lastMessage;
  const parts = message?.role === 'assistant' ? message.parts : [];
  const usage = message?.metadata?.usage;
  return {
    text: parts.filter((part) => part.type === 'text').map((part) => part.text).join(''),
    calls: parts.filter((part) => part.type.startsWith('tool-')).map((part) => ({ name: part.type.slice(5), arguments: part.input })),
    usage: usage && { input: usage.inputTokens, output: usage.outputTokens },
  };
}
