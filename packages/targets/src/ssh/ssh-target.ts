import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { type OwnedProcess, startOwned } from '../owned-process.ts';
import { run } from '../run.ts';
import { until } from '../until.ts';
import {
  addAccount,
  removeAbandonedAccounts,
  removeAccount,
  setMinimumAge,
  setPassword,
  shadowEntry,
} from './accounts.ts';
import { type LoginMethod, login } from './login.ts';
import { serverConfig } from './server-config.ts';

export interface SshAccount {
  readonly username: string;
  readonly password: string;
}

/** A real OpenSSH server on loopback with Linux accounts of its own. */
export interface SshTarget extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** `SHA256:…`, as `ssh-keygen -lf` prints it. */
  readonly hostKeyFingerprint: string;
  /** Adds an account with a random password; `superuser` makes it root by another name. Removed at stop. */
  createAccount(options?: { readonly superuser?: boolean }): Promise<SshAccount>;
  /** Makes another key that the account can log in with, and answers the private half in OpenSSH form. */
  addKey(username: string, type?: 'ed25519' | 'ecdsa' | 'rsa'): Promise<string>;
  /** The truth, by a login: true or false; anything but a refused password throws. */
  accepts(username: string, password: string): Promise<boolean>;
  /** A text that differs after every change of the account's password: the truth without a login. */
  passwordMark(username: string): string | undefined;
  /** Makes `passwd` refuse this account's own changes by policy (minimum age); with false, lets it again. */
  refuseChangesBy(username: string, refuse?: boolean): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

/** Starts the server. Needs root on Linux with OpenSSH's server installed; says so otherwise. */
export async function startSshTarget(
  options: { readonly methods?: readonly LoginMethod[] } = {},
): Promise<SshTarget> {
  if (process.getuid?.() !== 0)
    throw new Error('The SSH target adds Linux accounts, which needs root. Run this as root or with sudo.');
  const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/sbin/sshd'].find((path) => existsSync(path));
  if (sshd === undefined)
    throw new Error('No OpenSSH server was found. Install one (Debian: apt-get install openssh-server).');
  const methods = options.methods ?? ['password', 'keyboard-interactive'];
  const [method] = methods;
  if (method === undefined) throw new Error('Give at least one login method.');
  await removeAbandonedAccounts();
  // The folder of privilege separation, which the service manager normally makes.
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const folder = await mkdtemp(join(tmpdir(), 'claviger-ssh-target-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const hostKey = join(folder, 'host_key');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', hostKey]);
    const [, fingerprint] = (await run('ssh-keygen', ['-l', '-f', `${hostKey}.pub`])).split(' ');
    if (fingerprint === undefined) throw new Error('ssh-keygen printed no fingerprint.');
    const keysFolder = join(folder, 'keys');
    await mkdir(keysFolder);
    const { server, port } = await startOnFreePort(sshd, folder, { hostKey, keysFolder, methods });
    const accounts: string[] = [];
    const address = { host: '127.0.0.1', port, hostKeyFingerprint: fingerprint };
    const stop = async () => {
      await server.stop('SIGTERM');
      for (const name of accounts.splice(0)) await removeAccount(name);
      await removeFolder();
    };
    return {
      ...address,
      pid: server.pid,
      async createAccount({ superuser = false } = {}) {
        const username = await addAccount(superuser);
        accounts.push(username);
        const password = `${randomBytes(18).toString('base64url')}.aZ9`;
        await setPassword(username, password);
        return { username, password };
      },
      async addKey(username, type = 'ed25519') {
        const key = join(folder, randomUUID());
        await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', key]);
        await appendFile(join(keysFolder, username), await readFile(`${key}.pub`));
        return readFile(key, 'utf8');
      },
      accepts: (username, password) => login({ ...address, method }, username, password),
      passwordMark: shadowEntry,
      refuseChangesBy: (username, refuse = true) => setMinimumAge(username, refuse ? 7 : 0),
      log: server.log,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

async function startOnFreePort(
  sshd: string,
  folder: string,
  settings: Omit<Parameters<typeof serverConfig>[1], 'port'>,
): Promise<{ server: OwnedProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const config = join(folder, 'sshd_config');
    await writeFile(config, await serverConfig(sshd, { port, ...settings }), { mode: 0o600 });
    const server = await startOwned(sshd, ['-D', '-e', '-f', config]);
    await until(
      'SSH target ready',
      () => !server.running() || server.log().includes(`Server listening on 127.0.0.1 port ${port}`),
    );
    if (server.running()) return { server, port };
    if (attempt === 5) throw new Error(`The SSH target did not start: ${server.log().slice(-500)}`);
  }
}
