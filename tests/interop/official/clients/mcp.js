import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export async function mcp({ base, limit, progress }) {
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(base)));
  try {
    const options = { onprogress: () => progress(), ...(limit ? { timeout: limit } : {}) };
    const { content, _meta } = await client.callTool({ name: 'ask', arguments: { text: 'Hi' } }, undefined, options);
    return {
      text: content.map((part) => part.text).join(''),
      calls: [],
      usage: _meta?.usage && { input: _meta.usage.inputTokens, output: _meta.usage.outputTokens },
    };
  } finally {
    await client.close();
  }
}
