import { readdirSync, readFileSync } from 'node:fs';

/** The kernel reports CPU time to programs in hundredths of a second (USER_HZ), on every Linux. */
const TICKS_PER_SECOND = 100;
const SAMPLE_INTERVAL_MS = 1_000;

/** Measures the CPU time of this process and of everything that it starts, until `stop`. */
export interface CpuMeter {
  /** Looks at all processes now. It is called once a second by itself. */
  sample(): void;
  /** The CPU seconds since the start (user and system); `undefined` where there is no `/proc`. */
  stop(): number | undefined;
}

interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /**
   * In clock ticks: of the process itself, and of its ended children that it has waited for, with their
   * children.
   */
  readonly own: number;
  readonly waitedFor: number;
  /** With the pid, which of several processes that have had this number. */
  readonly startedAt: string;
}

/**
 * A process that has ended is in the account of the parent that waited for it, so the account of `root`
 * covers almost everything at the end. What it does not cover is a process whose parent has ended before it,
 * such as a detached server: its new parent is init. A sample once a second finds each descendant while its
 * parents live; from then on its time is counted apart as soon as it has lost its parent. Not counted is only
 * what lives and loses its parent within one interval, and what an orphan uses after the last sample before
 * its end.
 */
export function startCpuMeter(root = process.pid): CpuMeter {
  const atStart = readProcesses().get(root);
  const known = new Map<string, ProcessTimes>();
  /** In ticks, by process: the last time seen of those that no known parent waits for. */
  const orphans = new Map<string, number>();
  let running = 0;

  const sample = (): void => {
    const processes = readProcesses();
    const descendants = [...processes.values()].filter(
      (each) => each.pid !== root && (known.has(keyOf(each)) || descendsFrom(root, each, processes)),
    );
    for (const each of descendants) known.set(keyOf(each), each);
    running = 0;
    for (const each of descendants) {
      const parent = processes.get(each.parent);
      const hasParent = parent !== undefined && (parent.pid === root || known.has(keyOf(parent)));
      if (hasParent) running += each.own + each.waitedFor;
      else orphans.set(keyOf(each), each.own + each.waitedFor);
    }
  };
  const timer = setInterval(sample, SAMPLE_INTERVAL_MS);
  timer.unref();
  sample();
  return {
    sample,
    stop: () => {
      clearInterval(timer);
      sample();
      const now = readProcesses().get(root);
      if (atStart === undefined || now === undefined) return undefined;
      const waitedFor = now.own + now.waitedFor - atStart.own - atStart.waitedFor;
      const ofOrphans = [...orphans.values()].reduce((sum, ticks) => sum + ticks, 0);
      return (waitedFor + running + ofOrphans) / TICKS_PER_SECOND;
    },
  };
}

const keyOf = ({ pid, startedAt }: ProcessTimes): string => `${pid} ${startedAt}`;

function descendsFrom(root: number, of: ProcessTimes, all: ReadonlyMap<number, ProcessTimes>): boolean {
  for (let each: ProcessTimes | undefined = of; each !== undefined; each = all.get(each.parent))
    if (each.parent === root) return true;
  return false;
}

/** All processes by number; none where there is no `/proc`. */
function readProcesses(): Map<number, ProcessTimes> {
  const found = new Map<number, ProcessTimes>();
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return found;
  }
  for (const name of names) {
    const pid = Number(name);
    if (!Number.isSafeInteger(pid)) continue;
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The name of the program stands in parentheses and may hold anything; the fields after it are numbers.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      const [parent, user, system, childrenUser, childrenSystem] = [1, 11, 12, 13, 14].map((i) =>
        Number(fields[i]),
      ) as [number, number, number, number, number];
      found.set(pid, {
        pid,
        parent,
        own: user + system,
        waitedFor: childrenUser + childrenSystem,
        startedAt: fields[19]!,
      });
    } catch {
      // It has ended since the listing.
    }
  }
  return found;
}
