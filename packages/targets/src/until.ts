import { setTimeout as pause } from 'node:timers/promises';

/** Polls until `condition` holds; throws, naming `what` and its last error, when `deadlineMs` is over. */
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
