import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { tell } from '@claviger/terminal/output';

/** Type of a tmpfs in the answer of statfs(2). */
const TMPFS = 0x01021994;
/** A run has less than 1 GB in its folders at any time; a smaller file system or memory stays unused. */
const NEEDED_BYTES = 6 * 1024 ** 3;
const PREFIX = 'claviger-run-';

/** The folder in memory of one run of tests. */
export interface MemoryFolder {
  /** Absolute path; `undefined` if the machine has no suitable file system in memory. */
  readonly path: string | undefined;
  /** Deletes the folder and everything in it. */
  [Symbol.dispose](): void;
}

/**
 * Makes a folder in memory and sets TMPDIR to it, so that the servers of the tests keep their data there:
 * the file system of a disk takes a tenth of the CPU time of a run. TMPDIR stays as it is if it is set, or
 * if `parent` is no tmpfs with 6 GiB free in which programs can be executed. Deletes what earlier runs that
 * were killed have left behind.
 */
export function useMemoryFolder(parent = '/dev/shm', env: NodeJS.ProcessEnv = process.env): MemoryFolder {
  const unused: MemoryFolder = { path: undefined, [Symbol.dispose]: () => {} };
  if (env.TMPDIR !== undefined || !isSuitable(parent)) return unused;
  let path: string;
  try {
    removeAbandoned(parent);
    path = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
    // As /tmp is: accounts that own a server or that a test creates use it, too.
    chmodSync(path, 0o1777);
  } catch (error) {
    tell(`no folder in memory for the tests, they use the disk: ${(error as Error).message}`);
    return unused;
  }
  env.TMPDIR = path;
  return {
    path,
    [Symbol.dispose]: () => {
      delete env.TMPDIR;
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function isSuitable(folder: string): boolean {
  try {
    const { type, bavail, bsize } = statfsSync(folder);
    return (
      type === TMPFS &&
      bavail * bsize >= NEEDED_BYTES &&
      availableMemory() >= NEEDED_BYTES &&
      mayExecute(folder)
    );
  } catch {
    return false;
  }
}

/** In bytes, with what the kernel can free. */
function availableMemory(): number {
  const [, kibibytes] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return Number(kibibytes ?? 0) * 1024;
}

/** Whether the mount of the folder itself has no option `noexec`. */
function mayExecute(folder: string): boolean {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .some(([, mounted, , options]) => mounted === folder && !options?.split(',').includes('noexec'));
}

/** Deletes folders of runs whose process has ended. */
function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const pid = Number.parseInt(name.slice(PREFIX.length), 10);
    if (Number.isSafeInteger(pid) && !isRunning(pid))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
