import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { endProcess, identifyProcess, isSameProcess, type ProcessIdentity } from '@claviger/backing-servers';
import { writeAtomically } from '@claviger/identity';

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

/** The running processes for `status`, `down` and a second `up`. Contains no secrets. */
export interface RunningInstallation {
  readonly supervisor: ProcessIdentity;
  /** False while it is still starting. */
  readonly ready: boolean;
  readonly url: string;
  readonly caCertificate: string;
  readonly dataDir: string;
  /** The addresses at which the operator's commands reach auth. */
  readonly authAddresses: readonly string[];
  readonly processes: readonly RunningProcess[];
}

const runningFile = (dataDir: string) => join(dataDir, 'run', 'running.json');
const lockFile = (dataDir: string) => join(dataDir, 'run', 'lock.json');
/** SQLITE_BUSY: another process holds the lock. */
const sqliteBusy = 5;

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    if (code !== 'EACCES') throw error;
    throw new Error(
      `${file} cannot be read: it belongs to another user. Run this as the user who started Claviger`,
      { cause: error },
    );
  }
}

export function writeRunning(running: RunningInstallation): Promise<void> {
  return writeAtomically(runningFile(running.dataDir), `${JSON.stringify(running, null, 2)}\n`);
}

/** The content of the file, even if nothing runs any more. */
export function readRunning(dataDir: string): Promise<RunningInstallation | undefined> {
  return readJson<RunningInstallation>(runningFile(dataDir));
}

/** The running installation of this data folder; `undefined` if its supervisor does not live. */
export async function findRunning(dataDir: string): Promise<RunningInstallation | undefined> {
  const running = await readRunning(dataDir);
  return running !== undefined && (await isSameProcess(running.supervisor)) ? running : undefined;
}

/** The process that holds the data folder's lock, if it lives. */
export async function lockHolder(dataDir: string): Promise<ProcessIdentity | undefined> {
  const holder = await readJson<ProcessIdentity>(lockFile(dataDir));
  return holder !== undefined && (await isSameProcess(holder)) ? holder : undefined;
}

/** Another process runs, or is starting, the installation of this data folder. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/**
 * Locks the data folder for this process: one supervisor at a time. The operating system's lock on the file
 * of an otherwise empty database ends with its process in every case; `lock.json` only names the holder.
 * Returns a function that releases the lock. Throws `AlreadyRunningError` if another process holds it.
 */
export async function takeLock(dataDir: string): Promise<() => Promise<void>> {
  const me = await identifyProcess(process.pid);
  if (me === undefined) throw new Error('this process cannot be identified');
  const held = new DatabaseSync(join(dataDir, 'run', 'lock.db'), { timeout: 0 });
  try {
    held.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    held.close();
    if ((error as { errcode?: number }).errcode !== sqliteBusy) throw error;
    const holder = await lockHolder(dataDir);
    throw new AlreadyRunningError(
      `${dataDir} is in use by ${holder ? `process ${holder.pid}` : 'another process'}: stop it with \`claviger down\``,
      { cause: error },
    );
  }
  const file = lockFile(dataDir);
  await writeAtomically(file, JSON.stringify(me));
  return async () => {
    await rm(file, { force: true });
    held.close();
  };
}

/**
 * Ends the processes that a killed supervisor has left: services first, then servers, each identified by pid
 * and start time. Returns their names.
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
