/** In a browser, the browser's. */
export const { WebSocket } = globalThis;
