/** Where a page is hidden there are no frames: the wait is then this long, in milliseconds. */
const LONGEST_WAIT = 250;

/** The wait outside a page, in milliseconds: about a frame. */
const FRAME = 16;

/** Returns what asks for one run at the next frame, however often it is called before. */
export function oncePerFrame(run: () => void): () => void {
  let isAsked = false;
  let timer: unknown;
  let frame: number | undefined;

  return () => {
    if (isAsked) return;
    isAsked = true;
    frame = globalThis.requestAnimationFrame?.(now);
    timer = setTimeout(now, frame === undefined ? FRAME : LONGEST_WAIT);
  };

  function now(): void {
    isAsked = false;
    clearTimeout(timer as number);
    if (frame !== undefined) globalThis.cancelAnimationFrame?.(frame);
    run();
  }
}
