import { setTimeout as pause } from 'node:timers/promises';

/** What they are told of any failure on the way to a target who may not see what can be reached from here. */
export const UNIFORM_PROBLEM = 'The target could not be used.';

/**
 * Waits until `withinMs` since `startedAt` (of `performance.now()`) are over: a failure then takes the same
 * time whether a port was closed, filtered or silent. Ends early when the caller is gone.
 */
export async function untilUniform(startedAt: number, withinMs: number, signal: AbortSignal): Promise<void> {
  const left = startedAt + withinMs - performance.now();
  if (left > 0) await pause(left, undefined, { signal }).catch(() => {});
}
