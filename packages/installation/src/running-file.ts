import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '@claviger/identity';
import { endProcess, identifyProcess, isSameProcess, type ProcessIdentity } from '@claviger/parts';

/** One process that this installation started. */
export interface RunningProcess {
  readonly name: string;
  readonly kind: 'service' | 'part';
  readonly identity: ProcessIdentity;
  readonly stopSignal: NodeJS.Signals;
  /** Services: `GET /ready` below it. */
  readonly healthUrl?: string;
  readonly port?: number;
}

/** What runs, as `status`, `down` and a second `up` find it. No secrets. */
export interface RunningInstallation {
  readonly supervisor: ProcessIdentity;
  /** False while it is still starting. */
  readonly ready: boolean;
  readonly url: string;
  readonly caCertificate: string;
  readonly dataDir: string;
  /** How the operator's commands reach auth. */
  readonly authAddresses: readonly string[];
  readonly processes: readonly RunningProcess[];
}

const runningFile = (dataDir: string) => join(dataDir, 'run', 'running.json');
const lockFile = (dataDir: string) => join(dataDir, 'run', 'lock.json');

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    if (code !== 'EACCES') throw error;
    throw new Error(
      `${file} cannot be read: it belongs to another user. Run this as the one who started Claviger`,
      { cause: error },
    );
  }
}

export function writeRunning(running: RunningInstallation): Promise<void> {
  return writeAtomically(runningFile(running.dataDir), `${JSON.stringify(running, null, 2)}\n`);
}

/** What the file says, whether it still runs or not. */
export function readRunning(dataDir: string): Promise<RunningInstallation | undefined> {
  return readJson<RunningInstallation>(runningFile(dataDir));
}

/** The running installation of this data folder; `undefined` when its supervisor does not live. */
export async function findRunning(dataDir: string): Promise<RunningInstallation | undefined> {
  const running = await readRunning(dataDir);
  return running !== undefined && (await isSameProcess(running.supervisor)) ? running : undefined;
}

/** Who holds the data folder's lock, if that process lives. */
export async function lockHolder(dataDir: string): Promise<ProcessIdentity | undefined> {
  const holder = await readJson<ProcessIdentity>(lockFile(dataDir));
  return holder !== undefined && (await isSameProcess(holder)) ? holder : undefined;
}

/** Another process runs, or is about to run, this data folder. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/**
 * Takes the data folder for this process: one supervisor at a time. A lock whose holder has died is taken over.
 * Answers the release. Throws `AlreadyRunningError` when another lives.
 */
export async function takeLock(dataDir: string): Promise<() => Promise<void>> {
  const file = lockFile(dataDir);
  const me = await identifyProcess(process.pid);
  if (me === undefined) throw new Error('this process cannot be identified');
  const text = JSON.stringify(me);
  const own = `${file}.${process.pid}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    // Written aside and linked: nobody ever reads half a lock.
    await writeFile(own, text, { mode: 0o600 });
    const taken = await link(own, file).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        return false;
      },
    );
    await rm(own, { force: true });
    if (taken) return () => rm(file, { force: true });
    const before = await readFile(file, 'utf8').catch(() => undefined);
    const holder = await lockHolder(dataDir);
    if (holder !== undefined) {
      throw new AlreadyRunningError(
        `${dataDir} is in use by process ${holder.pid}: stop it with \`claviger down\``,
      );
    }
    // Moved aside, then looked at: of two that take over at once, one may have moved the other's new lock.
    const moved = await rename(file, own).then(
      () => true,
      () => false,
    );
    if (moved && (await readFile(own, 'utf8')) !== before) await link(own, file).catch(() => {});
    await rm(own, { force: true });
  }
  throw new Error(`${file} cannot be taken: remove it`);
}

/**
 * Ends what a supervisor that was killed has left behind: services first, parts after them, each recognised by
 * number and start time. Answers the names of what was ended.
 */
export async function endLeftovers(dataDir: string): Promise<string[]> {
  const running = await readRunning(dataDir);
  if (running === undefined || (await isSameProcess(running.supervisor))) return [];
  const ended: string[] = [];
  for (const kind of ['service', 'part'] as const) {
    await Promise.all(
      running.processes
        .filter((each) => each.kind === kind)
        .map(async ({ name, identity, stopSignal }) => {
          if (!(await isSameProcess(identity))) return;
          await endProcess(identity, stopSignal, 20_000);
          ended.push(name);
        }),
    );
  }
  await forgetRunning(dataDir);
  return ended;
}

export function forgetRunning(dataDir: string): Promise<void> {
  return rm(runningFile(dataDir), { force: true });
}
