// Asks a server for a chat completion as a stream, as any application does, and prints what it was told.
const OpenAI = require('openai').default;

async function main() {
  const client = new OpenAI({ baseURL: process.argv[2], apiKey: 'none', maxRetries: 0 });
  try {
    const stream = await client.chat.completions.create({ model: 'any', messages: [{ role: 'user', content: 'Hello' }], stream: true });
    for await (const chunk of stream) {
      process.stdout.write(chunk.choices[0].delta.content ?? '');
    }
    process.stdout.write('|end');
  } catch (error) {
    process.stdout.write(`|${error.message}`);
  }
}

main();
