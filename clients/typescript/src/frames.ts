/** Where a page is hidden there are no frames: the wait is then this long, in milliseconds. */
const LONGEST_WAIT = 250;

/** The wait outside a page, in milliseconds: about a frame. */
const FRAME = 16;

/** Returns what asks for one run at the next frame, however often it is called before. */
export function oncePerFrame(run: () => void): () => void {
  let isAsked = false;
  let timer: unknown;

  return () => {
    if (isAsked) return;
    isAsked = true;
    timer = setTimeout(now, globalThis.requestAnimationFrame?.(now) ? LONGEST_WAIT : FRAME);
  };

  /** Whichever of the two comes first; the other one finds nothing to do, or what was asked for since. */
  function now(): void {
    clearTimeout(timer as number);
    if (!isAsked) return;
    isAsked = false;
    run();
  }
}
