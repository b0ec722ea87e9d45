import { readFile } from 'node:fs/promises';

/** What a process has used. */
export interface ProcessUsage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

/** The unit of times in /proc, on every Linux. */
const TICK_MS = 10;
const PAGE_BYTES = 4_096;

/**
 * Reads from outside what a process has used, also of one that stands in an endless loop. Undefined where the
 * system has no /proc.
 */
export async function usageOf(pid: number): Promise<ProcessUsage | undefined> {
  try {
    const [stat, memory] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'latin1'),
      readFile(`/proc/${pid}/statm`, 'latin1'),
    ]);
    // The name of the program stands in parentheses and may hold anything; the fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { cpuMs: ticks * TICK_MS, memoryBytes: Number(memory.split(' ')[1]) * PAGE_BYTES };
  } catch {
    return undefined;
  }
}
