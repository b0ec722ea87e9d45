const TICK_MS = 250;

/**
 * Moves the end of a delay of at least 250 ms to the nearest tick of this process, at most 125 ms earlier or
 * later. Its periodic work then shares wake-ups, which take most of the CPU time of an idle process.
 *
 * @param now Monotonic milliseconds.
 */
export function alignDelay(ms: number, now = performance.now()): number {
  return ms < TICK_MS ? ms : Math.round((now + ms) / TICK_MS) * TICK_MS - now;
}
