import Anthropic from '@anthropic-ai/sdk';

export async function anthropic({ base, stream, progress }) {
  const client = new Anthropic({ baseURL: base, apiKey: 'test' });
  const request = { model: 'scripted', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] };
  if (!stream) {
    const { content, usage } = await client.messages.create(request);
    return {
      text: content.filter((block) => block.type === 'text').map((block) => block.text).join(''),
      calls: content.filter((block) => block.type === 'tool_use').map((block) => ({ name: block.name, arguments: block.input })),
      usage: usageOf(usage),
    };
  }

  const reading = { text: '', calls: [] };
  const blocks = [];
  for await (const event of await client.messages.create({ ...request, stream: true })) {
    progress();
    if (event.type === 'content_block_start') {
      blocks[event.index] = { name: event.content_block.name, json: '' };
    } else if (event.type === 'content_block_delta') {
      reading.text += event.delta.text ?? '';
      blocks[event.index].json += event.delta.partial_json ?? '';
    } else if (event.type === 'content_block_stop' && blocks[event.index].name) {
      reading.calls.push({ name: blocks[event.index].name, arguments: JSON.parse(blocks[event.index].json) });
    } else if (event.type === 'message_delta') {
      reading.usage = usageOf(event.usage);
    }
  }
  return reading;
}

const usageOf = (usage) => ({ input: usage.input_tokens, output: usage.output_tokens });
