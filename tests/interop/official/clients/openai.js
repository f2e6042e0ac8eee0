import OpenAI from 'openai';

const open = (base) => new OpenAI({ baseURL: base, apiKey: 'test' });

const usageOf = (usage) => usage && { input: usage.prompt_tokens ?? usage.input_tokens, output: usage.completion_tokens ?? usage.output_tokens };

export async function openaiChat({ base, stream, progress }) {
  const request = { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }] };
  if (!stream) {
    const { choices: [{ message }], usage } = await open(base).chat.completions.create(request);
    return { text: message.content ?? '', calls: (message.tool_calls ?? []).map((call) => callOf(call.function)), usage: usageOf(usage) };
  }

  const chunks = await open(base).chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } });
  const reading = { text: '', calls: [] };
  const calls = [];
  for await (const { choices, usage } of chunks) {
    progress();
    reading.text += choices[0]?.delta.content ?? '';
    for (const { index, function: part } of choices[0]?.delta.tool_calls ?? []) {
      calls[index] ??= { name: '', arguments: '' };
      calls[index].name += part.name ?? '';
      calls[index].arguments += part.arguments ?? '';
    }
    reading.usage = usageOf(usage) ?? reading.usage;
  }
  reading.calls = calls.map(callOf);
  return reading;
}

export async function openaiResponses({ base, stream, progress }) {
  const request = { model: 'scripted', input: 'Hi' };
  if (!stream) {
    return responseOf(await open(base).responses.create(request));
  }

  const reading = { text: '', calls: [] };
  for await (const event of await open(base).responses.create({ ...request, stream: true })) {
    progress();
    switch (event.type) {
      case 'response.output_text.delta':
        reading.text += event.delta;
        break;
      case 'response.output_item.done':
        reading.calls.push(...callsOf([event.item]));
        break;
      case 'response.completed':
        reading.usage = usageOf(event.response.usage);
        break;
      // The client hands these over as events; the documentation tells applications to look at them.
      case 'response.failed':
        throw new Error(event.response.error.message);
      case 'error':
        throw new Error(event.message);
    }
  }
  return reading;
}

const responseOf = (response) => ({ text: response.output_text, calls: callsOf(response.output), usage: usageOf(response.usage) });

const callsOf = (items) => items.filter((item) => item.type === 'function_call').map(callOf);

const callOf = (call) => ({ name: call.name, arguments: JSON.parse(call.arguments) });
