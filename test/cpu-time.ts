import { readFileSync } from 'node:fs';
import { afterAll } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** CPU seconds of the file, including processes that it started and waited for. Linux only. */
    cpuSeconds?: number;
  }
}

/**
 * User and system time of this process and of its ended children, in seconds; `undefined` without `/proc`.
 */
function cpuSeconds(): number | undefined {
  try {
    const text = readFileSync('/proc/self/stat', 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
  } catch {
    return undefined;
  }
}

const atStart = cpuSeconds();

// Registered before the hooks of the file, so it runs after them: the file has stopped its servers by then.
// biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to learn which fixtures a hook wants
afterAll(({}, file) => {
  const atEnd = cpuSeconds();
  if (atStart !== undefined && atEnd !== undefined) file.meta.cpuSeconds = atEnd - atStart;
});
