import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runProgram } from './run-program.ts';

/** A system account that runs the servers. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

async function lookUpAccount(name: string): Promise<Account | undefined> {
  const uid = await runProgram('id', ['-u', name]);
  const gid = await runProgram('id', ['-g', name]);
  if (uid.code !== 0 || gid.code !== 0) return undefined;
  return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

let chosen: Promise<Account | undefined> | undefined;

/**
 * Returns the account that runs PostgreSQL, Redis and NATS: `undefined` (the present one) unless this process
 * is root, because PostgreSQL refuses root and the others do not need it. As root: `postgres` if the machine
 * has it, else a system account `claviger` (created), else `nobody`.
 */
export function serversAccount(): Promise<Account | undefined> {
  chosen ??= chooseAccount();
  return chosen;
}

async function chooseAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'claviger']) {
    const account = await lookUpAccount(name);
    if (account !== undefined && account.uid !== 0) return account;
  }
  await runProgram('useradd', [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    'claviger',
  ]);
  const account = (await lookUpAccount('claviger')) ?? (await lookUpAccount('nobody'));
  if (account !== undefined) return account;
  throw new Error(
    'PostgreSQL refuses to run as root and no other account was found: create one (useradd --system claviger) or run as an ordinary user',
  );
}

/** Whether `account` can enter every folder above and including `folder` (which exists). */
export async function canTraverse(folder: string, account: Account): Promise<boolean> {
  for (let current = folder; ; current = dirname(current)) {
    const { mode, uid, gid } = await stat(current);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (dirname(current) === current) return true;
  }
}
