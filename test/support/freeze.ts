import { readdirSync, readFileSync } from 'node:fs';

/** Stops (SIGSTOP) a server and all processes that it started, until disposed. Linux only. */
export function freeze(pid: number): Disposable {
  const stopped: number[] = [];
  const stop = (each: number): void => {
    stopped.push(each);
    signal(each, 'SIGSTOP');
  };
  // The server itself first, so that it starts no more processes.
  stop(pid);
  for (const child of childrenOf(pid)) stop(child);
  return {
    [Symbol.dispose]: () => {
      for (const each of stopped) signal(each, 'SIGCONT');
    },
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // A process that has ended counts as stopped.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid)
    .map(Number);
}

/** Returns undefined for a process that has ended. */
function parentOf(pid: string): number | undefined {
  try {
    // "pid (name) state parent …": a name may contain any character, including brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
