import { GoogleGenAI } from '@google/genai';

export async function gemini({ base, stream, progress }) {
  const { models } = new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl: base } });
  const request = { model: 'scripted', contents: 'Hi' };
  const reading = { text: '', calls: [] };
  for await (const part of stream ? await models.generateContentStream(request) : [await models.generateContent(request)]) {
    progress();
    for (const { text, functionCall } of part.candidates?.[0]?.content?.parts ?? []) {
      reading.text += text ?? '';
      if (functionCall) {
        reading.calls.push({ name: functionCall.name, arguments: functionCall.args });
      }
    }
    if (part.usageMetadata?.candidatesTokenCount !== undefined) {
      reading.usage = { input: part.usageMetadata.promptTokenCount, output: part.usageMetadata.candidatesTokenCount };
    }
  }
  return reading;
}
