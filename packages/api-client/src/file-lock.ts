import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError } from '@claviger/terminal/exit-codes';
import { ensureConfigFolder } from './config-folder.ts';

/**
 * Runs `work` while no other process holds the same lock. Node.js has no file locks; the lock of SQLite is
 * one of the operating system and ends with its process, so a killed command leaves none.
 */
export async function withFileLock<T>(
  name: string,
  work: () => Promise<T>,
  env?: NodeJS.ProcessEnv,
  timeoutMs = 60_000,
): Promise<T> {
  const file = join(await ensureConfigFolder(env), name);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    await chmod(file, 0o600);
    const deadline = Date.now() + timeoutMs;
    while (!tryLock(database)) {
      if (Date.now() > deadline)
        throw new CommandError(`another command uses ${file}: wait until it has ended`);
      await pause(25);
    }
    return await work();
  } finally {
    database.close();
  }
}

const busy = 5;

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && ((error.errcode as number) & 0xff) === busy)
      return false;
    throw error;
  }
}
