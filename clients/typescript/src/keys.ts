/** 128 random bits; `randomUUID` is for pages of secure origins only. */
export const drawKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join("-");

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
