// Lets official clients ask for answers, as a test commands. One line of JSON on stdin is a command:
//   {"id":1,"client":"openai-chat","base":"http://127.0.0.1:5000/v1","stream":true,"limit":2000}
// A command is answered on stdout by {"id":1,"first":true} when the first piece of a streamed answer was read, and then by
// {"id":1,"reading":{"text":"…","calls":[{"name":"…","arguments":{}}],"usage":{"input":9,"output":6}}} or {"id":1,"error":"…"}.
// `limit` is the time in milliseconds after which a client that waits for ever is told to give up. It is for clients that have such an option.
import { createInterface } from 'node:readline';
import { a2a, agUI, aiSdk, anthropic, eventSource, gemini, mcp, ollama, openaiChat, openaiResponses } from './clients/index.js';

const clients = {
  'openai-chat': openaiChat, 'openai-responses': openaiResponses, anthropic, ollama, gemini, 'ai-sdk': aiSdk, 'ag-ui': agUI, mcp, a2a,
  'event-source': eventSource,
};

// What goes wrong in a client outside its promises is counted as what it is: not told to the caller.
process.on('unhandledRejection', (error) => console.error('unhandled rejection:', error));
process.on('uncaughtException', (error) => console.error('uncaught exception:', error));

const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\n');

async function obey({ id, client, base, stream, limit }) {
  let isFirst = true;
  const progress = () => {
    if (isFirst) {
      isFirst = false;
      say({ id, first: true });
    }
  };
  try {
    say({ id, reading: await clients[client]({ base, stream, limit, progress }) });
  } catch (error) {
    say({ id, error: `${error?.name ?? 'Error'}: ${error?.message ?? error}` });
  }
}

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => void obey(JSON.parse(line)));
commands.on('close', () => process.exit());
