import { onAbort, within } from "./waiting.js";

/** The bytes that are parsed at once: a browser may hand over half a megabyte, which would hold its main thread. */
const PIECE = 1 << 14;

/**
 * Reads a body, piece by piece: nothing is read ahead, so that a slow reader slows the sender. Rejects as soon as the signal aborts, which
 * also lets go of the body: a runtime may have lost the tie between the two.
 */
export function piecesOf(response: Response, signal: AbortSignal): () => Promise<Uint8Array | undefined> {
  const reader = response.body?.getReader();
  let block: Uint8Array | undefined;
  let text: Promise<string> | undefined;      // of a fetch without streams, as that of React Native: all of it at the end
  onAbort(signal, () => void reader?.cancel(signal.reason).catch(() => {}));

  return async () => {
    if (!reader) return text ? undefined : new TextEncoder().encode(await within((text = response.text()), signal));
    if (!block?.length) block = (await within(reader.read(), signal)).value;
    const piece = block?.subarray(0, PIECE);
    block = block?.subarray(PIECE);
    return piece;
  };
}
