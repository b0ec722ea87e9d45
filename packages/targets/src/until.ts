import { setTimeout as pause } from 'node:timers/promises';

/** Polls until `condition` holds; throws with `what` and the last error when `deadlineMs` has passed. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 120_000,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs) throw new Error(`${what}: not within ${deadlineMs} ms`, { cause: last });
    await pause(50);
  }
}
