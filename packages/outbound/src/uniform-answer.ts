import { setTimeout as pause } from 'node:timers/promises';

/** The problem text for users who must not learn which targets the platform can reach. */
export const UNIFORM_PROBLEM = 'The target could not be used.';

/**
 * Waits until `withinMs` after `startedAt` (of `performance.now()`): a failure then takes the same time for a
 * closed, a filtered and a silent port. Ends early when the caller aborts.
 */
export async function untilUniform(startedAt: number, withinMs: number, signal: AbortSignal): Promise<void> {
  const left = startedAt + withinMs - performance.now();
  if (left > 0) await pause(left, undefined, { signal }).catch(() => {});
}
