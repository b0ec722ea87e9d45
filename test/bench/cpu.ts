import { readdirSync, readFileSync } from 'node:fs';
import type { Installation } from '@claviger/installation';

/** CPU milliseconds so far by process of the installation; those of PostgreSQL by role. */
export type CpuTimes = Readonly<Record<string, number>>;

/** Linux counts CPU time in hundredths of a second. */
const MS_PER_TICK = 10;

export function cpuTimes(installation: Installation): CpuTimes {
  const times: Record<string, number> = { 'load generator': cpuOf(process.pid) };
  for (const { node } of installation.nodes) times[node] = cpuOf(installation.pid(node));
  const { postgres, redis, nats } = installation.servers;
  times.redis = cpuOf(redis.pid);
  times.nats = cpuOf(nats.pid);
  for (const pid of childrenOf(postgres.pid)) {
    const name = `postgres ${roleOf(pid)}`;
    times[name] = (times[name] ?? 0) + cpuOf(pid);
  }
  return times;
}

/** The role in the title of a backend: "postgres: role database client state". */
function roleOf(pid: number): string {
  try {
    return /^postgres: (\S+)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1] ?? 'other';
  } catch {
    return 'ended';
  }
}

/** Fields of /proc/PID/stat after the name, which may contain blanks. */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  } catch {
    // The process has ended.
    return undefined;
  }
}

function cpuOf(pid: number | undefined): number {
  const stat = pid === undefined ? undefined : statOf(pid);
  return stat ? (Number(stat[11]) + Number(stat[12])) * MS_PER_TICK : 0;
}

function childrenOf(parent: number | undefined): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && statOf(pid)?.[1] === String(parent));
}
