export { a2a } from './a2a.js';
export { agUI } from './ag-ui.js';
export { aiSdk } from './ai-sdk.js';
export { anthropic } from './anthropic.js';
export { eventSource } from './eventsource.js';
export { gemini } from './gemini.js';
export { mcp } from './mcp.js';
export { ollama } from './ollama.js';
export { openaiChat, openaiResponses } from './openai.js';
