let wall = Date.now();
let ticks = performance.now();
let time = wall;

/**
 * Milliseconds since 1970, on a clock that never goes back. Time that passes while the machine sleeps counts, which only the clock on the
 * wall is sure to show; where that is set back, the other one goes on.
 */
export function now(): number {
  const [wallNow, ticksNow] = [Date.now(), performance.now()];
  time += Math.max(wallNow - wall, ticksNow - ticks, 0);
  [wall, ticks] = [wallNow, ticksNow];
  return time;
}
