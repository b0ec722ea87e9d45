import { readFile } from 'node:fs/promises';

/** CPU time and memory of a process. */
export interface ProcessUsage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

/** The unit of times in /proc on Linux. */
const TICK_MS = 10;
const PAGE_BYTES = 4_096;

/**
 * Reads the usage of a process from /proc, which works even if the process is in an endless loop. Returns
 * undefined on systems without /proc.
 */
export async function usageOf(pid: number): Promise<ProcessUsage | undefined> {
  try {
    const [stat, memory] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'latin1'),
      readFile(`/proc/${pid}/statm`, 'latin1'),
    ]);
    // The program name is in parentheses and may contain any character; fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { cpuMs: ticks * TICK_MS, memoryBytes: Number(memory.split(' ')[1]) * PAGE_BYTES };
  } catch {
    return undefined;
  }
}
