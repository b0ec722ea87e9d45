/**
 * Measures the start and the idle cost of an installation of this checkout; asserts nothing. `node
 * test/bench/start-and-idle.ts [--starts N] [--idle SECONDS]`. For each process, prints milliseconds from its
 * start until it serves, memory (PSS: shared pages are divided among the processes), and CPU without calls.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { starts: { type: 'string', default: '3' }, idle: { type: 'string', default: '60' } },
});
const idleSeconds = Number(values.idle);
const launcher = resolve(import.meta.dirname, '../../claviger');
const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'));
const dataDir = join(folder, 'data');
const MS_PER_TICK = 10;
const SETTLE_MS = 20_000;

const claviger = (...args: string[]) =>
  execFileSync(launcher, args, {
    encoding: 'utf8',
    env: { ...process.env, CLAVIGER_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
const up = () => claviger('up', '--detach', '--json', '--port', '0');
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

interface Process {
  readonly pid: number;
  readonly name: string;
  readonly cpuMs: number;
  readonly pssMb: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

const bootedAt = Number(/^btime (\d+)/m.exec(readFileSync('/proc/stat', 'utf8'))![1]) * 1_000;

function processOf(pid: number, name: string): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    const pss = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return {
      pid,
      name,
      cpuMs: (Number(stat[11]) + Number(stat[12])) * MS_PER_TICK,
      pssMb: Number(pss ?? 0) / 1_024,
      startedAt: bootedAt + Number(stat[19]) * MS_PER_TICK,
    };
  } catch {
    // The process has ended.
    return undefined;
  }
}

/** The supervisor of the installation and all its descendants. */
function processes(): Process[] {
  const children = new Map<number, number[]>();
  const commands = new Map<number, string>();
  for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) {
    try {
      const parent = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), pid]);
      commands.set(pid, readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      // The process has ended.
    }
  }
  const service = [...commands].find(([, command]) => command.includes(`${dataDir}/config/`))?.[0];
  const supervisor = [...children].find(([, pids]) => pids.includes(service!))![0];
  const withDescendants = (pid: number): number[] => [
    pid,
    ...(children.get(pid) ?? []).flatMap((child) => withDescendants(child)),
  ];
  const nameOf = (command: string): string =>
    /config\/([a-z]+-\d+)\./.exec(command)?.[1] ?? /postgres|redis|nats/.exec(command)?.[0] ?? 'supervisor';
  return withDescendants(supervisor).flatMap((pid) => processOf(pid, nameOf(commands.get(pid)!)) ?? []);
}

function servesAfterMs({ name, startedAt }: Process): number | undefined {
  try {
    const log = readFileSync(join(dataDir, 'logs', `${name}.log`), 'utf8')
      .trim()
      .split('\n');
    const line = log.findLast((each) => / serves"| listens"/.test(each));
    return line === undefined
      ? undefined
      : Date.parse((JSON.parse(line) as { time: string }).time) - startedAt;
  } catch {
    return undefined;
  }
}

try {
  up();
  claviger('down');
  const starts: number[] = [];
  for (let round = 1; round <= Number(values.starts); round++) {
    if (round > 1) claviger('down');
    const from = performance.now();
    up();
    starts.push(performance.now() - from);
  }
  console.log(`warm start: ${starts.map((ms) => (ms / 1_000).toFixed(1)).join(', ')} s`);
  await pause(SETTLE_MS);
  const before = new Map(processes().map((each) => [each.pid, each]));
  await pause(idleSeconds * 1_000);
  const rows = new Map<string, { cpu: number; pss: number; serves: number | undefined }>();
  for (const each of processes()) {
    const row = rows.get(each.name) ?? { cpu: 0, pss: 0, serves: servesAfterMs(each) };
    row.cpu += (each.cpuMs - (before.get(each.pid)?.cpuMs ?? each.cpuMs)) / idleSeconds / 10;
    row.pss += each.pssMb;
    rows.set(each.name, row);
  }
  console.log('\nprocess | serves after ms | PSS MB | CPU % of a core, idle\n--- | --- | --- | ---');
  for (const [name, { cpu, pss, serves }] of rows)
    console.log(`${name} | ${serves ?? ''} | ${pss.toFixed(0)} | ${cpu.toFixed(2)}`);
  const all = [...rows.values()];
  const sum = (of: 'cpu' | 'pss') => all.reduce((total, each) => total + each[of], 0);
  console.log(`**all** | | ${sum('pss').toFixed(0)} | ${sum('cpu').toFixed(2)}`);
} finally {
  claviger('down');
  rmSync(folder, { recursive: true, force: true });
}
