import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { run } from '../run.ts';

const prefix = 'clv-';
const comment = 'claviger-target-of-';

/** The place of accounts: the machine, or a target with its own /etc. */
export interface AccountFiles {
  /** The folder that is /etc there. */
  readonly etc: string;
  /** Runs a program that sees that folder as /etc. */
  readonly run: typeof run;
}

export const machineAccounts: AccountFiles = { etc: '/etc', run };

export interface NewAccount {
  /** Gives the account uid 0. */
  readonly superuser?: boolean;
  readonly name?: string;
  readonly shell?: string;
  readonly home?: string;
}

/** Adds a Linux account like one that an ended process left. For tests. */
export async function leaveAccount(name: string, ownerPid: number): Promise<void> {
  await locked(machineAccounts, 'useradd', ['-M', '-d', '/', '-c', `${comment}${ownerPid}`, '--', name]);
}

/** Adds a Linux account marked as this process's. Needs root. */
export async function addAccount(files: AccountFiles, account: NewAccount): Promise<string> {
  const { superuser = false, shell = '/bin/sh', home = '/' } = account;
  const name = account.name ?? `${prefix}${randomBytes(6).toString('hex')}`;
  const identity = superuser ? ['-o', '-u', '0', '-g', '0'] : ['-U'];
  // Allows names as in directories: useradd would refuse `name@domain`.
  const anyName = account.name === undefined ? [] : ['--badname'];
  const mark = `${comment}${process.pid}`;
  const args = [...anyName, '-M', '-d', home, '-s', shell, '-c', mark, ...identity, '--', name];
  await locked(files, 'useradd', args);
  return name;
}

export async function setPassword(files: AccountFiles, name: string, password: string): Promise<void> {
  await locked(files, 'chpasswd', [], `${name}:${password}\n`);
}

/** Forbids the account to change its password for `days` after the last change, or with 0 allows it again. */
export async function setMinimumAge(files: AccountFiles, name: string, days: number): Promise<void> {
  await locked(files, 'chage', ['-m', String(days), '--', name]);
}

/** Removes an account that `addAccount` made; never any other. */
export async function removeAccount(name: string): Promise<void> {
  if (!name.startsWith(prefix)) throw new Error(`${name} is not an account of a target.`);
  // -f, since uid 0 always has running processes. Without -r no file is removed.
  await locked(machineAccounts, 'userdel', ['-f', '--', name]);
}

/**
 * Removes the accounts of processes that ended without doing so; several processes may do that at the same
 * time.
 */
export async function removeAbandonedAccounts(): Promise<void> {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , , , gecos] = line.split(':');
    const owner = new RegExp(`^${comment}(\\d+)$`).exec(gecos ?? '')?.[1];
    if (!name?.startsWith(prefix) || owner === undefined || isRunning(Number(owner))) continue;
    await removeAccount(name).catch((error: unknown) => {
      // Another process that starts at the same time may have removed it first.
      if (isKnown(name)) throw error;
    });
  }
}

function isKnown(name: string): boolean {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .some((line) => line.startsWith(`${name}:`));
}

/** The account's entry in the shadow file: differs after every change of its password. */
export function shadowEntry({ etc }: AccountFiles, name: string): string | undefined {
  return readFileSync(`${etc}/shadow`, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The account files share one lock, which another program can hold for a moment. */
async function locked(
  files: AccountFiles,
  program: string,
  args: readonly string[],
  input?: string,
): Promise<void> {
  const endMs = performance.now() + 120_000;
  for (;;) {
    try {
      await files.run(program, args, input === undefined ? {} : { input });
      return;
    } catch (error) {
      const isLocked = error instanceof Error && /lock|try again/i.test(error.message);
      if (!isLocked || performance.now() > endMs) throw error;
      await pause(100);
    }
  }
}
