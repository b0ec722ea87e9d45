import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '../free-port.ts';
import { mayMount } from '../may-mount.ts';
import { type OwnedProcess, startOwned } from '../owned-process.ts';
import { run } from '../run.ts';
import { until } from '../until.ts';
import {
  type AccountFiles,
  addAccount,
  machineAccounts,
  type NewAccount,
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
  /** Its home folder, if files were given. */
  readonly home?: string;
}

/** A real OpenSSH server on loopback with Linux accounts of its own. */
export interface SshTarget extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** `SHA256:…`, as `ssh-keygen -lf` prints it. */
  readonly hostKeyFingerprint: string;
  /** Adds an account with a random password. Removed at stop. */
  createAccount(options?: NewAccount & { readonly files?: FilesByPath }): Promise<SshAccount>;
  /** Runs a program on the host as root and answers what it printed: with `ownEtc`, it sees that /etc. */
  readonly run: AccountFiles['run'];
  /** Writes a file of /etc; only with `ownEtc`. An empty text removes it. */
  writeEtc(path: string, content: string): Promise<void>;
  /** Makes another key that the account can log in with, and answers the private half in OpenSSH form. */
  addKey(username: string, type?: 'ed25519' | 'ecdsa' | 'rsa'): Promise<string>;
  /** Whether the password is correct, by a direct login. Throws for any failure except a refused password. */
  accepts(username: string, password: string): Promise<boolean>;
  /** A text that differs after every change of the account's password, to detect a change without a login. */
  passwordMark(username: string): string | undefined;
  /** Makes `passwd` refuse this account's own changes by policy (minimum age); with false, lets it again. */
  refuseChangesBy(username: string, refuse?: boolean): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

/** Contents by path below a folder. */
export type FilesByPath = Readonly<Record<string, string>>;

export interface SshTargetOptions {
  readonly methods?: readonly LoginMethod[];
  /** Lines of sshd_config in place of those that the target would have, and `Match` blocks. */
  readonly settings?: readonly string[];
  /**
   * The server and all that it starts see a copy of /etc: accounts, PAM, sudo and start-up files of shells
   * are its own. Every account of it may log in; those of the machine have no password there. Where this
   * process may not mount, its accounts are those of the machine, and `writeEtc` throws.
   */
  readonly ownEtc?: boolean;
}

/** Starts the server. Needs root on Linux with OpenSSH's server installed; says so otherwise. */
export async function startSshTarget(options: SshTargetOptions = {}): Promise<SshTarget> {
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
    const etc = options.ownEtc && mayMount() ? await copyEtc(folder) : undefined;
    const { server, port } = await startOnFreePort(sshd, folder, etc, {
      hostKey,
      keysFolder,
      methods,
      settings: options.settings ?? [],
    });
    const host: AccountFiles = etc === undefined ? machineAccounts : { etc, run: runBeside(server.pid) };
    const accounts: string[] = [];
    const address = { host: '127.0.0.1', port, hostKeyFingerprint: fingerprint };
    const stop = async () => {
      await server.stop('SIGTERM');
      if (etc === undefined) for (const name of accounts.splice(0)) await removeAccount(name);
      await removeFolder();
    };
    return {
      ...address,
      pid: server.pid,
      run: host.run,
      async writeEtc(path, content) {
        if (etc === undefined) throw new Error('Only a target with an /etc of its own writes there.');
        await writeFiles(etc, { [path]: content });
      },
      async createAccount({ files, ...account } = {}) {
        const home = join(folder, 'homes', randomUUID());
        const username = await addAccount(host, files === undefined ? account : { ...account, home });
        accounts.push(username);
        const password = `${randomBytes(18).toString('base64url')}.aZ9`;
        await setPassword(host, username, password);
        if (files === undefined) return { username, password };
        await writeFiles(home, files);
        await host.run('chown', ['-R', '--', username, home]);
        return { username, password, home };
      },
      async addKey(username, type = 'ed25519') {
        const key = join(folder, randomUUID());
        await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', key]);
        await appendFile(join(keysFolder, username), await readFile(`${key}.pub`));
        return readFile(key, 'utf8');
      },
      accepts: (username, password) => login({ ...address, method }, username, password),
      passwordMark: (username) => shadowEntry(host, username),
      refuseChangesBy: (username, refuse = true) => setMinimumAge(host, username, refuse ? 7 : 0),
      log: server.log,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

/** A copy of /etc in which no account of the machine has a password, and a refused login takes no seconds. */
async function copyEtc(folder: string): Promise<string> {
  // The programs of an account read its home folder.
  await chmod(folder, 0o711);
  const etc = join(folder, 'etc');
  await run('cp', ['-a', '/etc', etc]);
  const shadow = await readFile(join(etc, 'shadow'), 'utf8');
  await writeFile(join(etc, 'shadow'), shadow.replace(/^([^:]*):[^:]*/gm, '$1:*'));
  for (const name of ['common-auth', 'common-password']) {
    const rules = join(etc, 'pam.d', name);
    if (existsSync(rules))
      await writeFile(
        rules,
        (await readFile(rules, 'utf8')).replaceAll('pam_unix.so', 'pam_unix.so nodelay'),
      );
  }
  return etc;
}

async function writeFiles(folder: string, files: FilesByPath): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    if (content === '') await rm(file, { force: true });
    else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
}

/** Runs programs in the mount namespace of a process. */
function runBeside(pid: number): typeof run {
  return (program, args, options) =>
    run('nsenter', ['-t', String(pid), '-m', '--', program, ...args], options);
}

async function startOnFreePort(
  sshd: string,
  folder: string,
  etc: string | undefined,
  settings: Omit<Parameters<typeof serverConfig>[1], 'port' | 'onlyTargetAccounts'>,
): Promise<{ server: OwnedProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    // The default path, so that `sshd -T` reads it too.
    const config = join(etc === undefined ? folder : join(etc, 'ssh'), 'sshd_config');
    const content = await serverConfig(sshd, { port, onlyTargetAccounts: etc === undefined, ...settings });
    await writeFile(config, content, { mode: 0o600 });
    const server =
      etc === undefined
        ? await startOwned(sshd, ['-D', '-e', '-f', config])
        : await startOwned('unshare', ['-m', 'sh', '-c', mountAndServe, 'sh', etc, sshd]);
    await until(
      'SSH target ready',
      () => !server.running() || server.log().includes(`Server listening on 127.0.0.1 port ${port}`),
    );
    if (server.running()) return { server, port };
    if (attempt === 5) throw new Error(`The SSH target did not start: ${server.log().slice(-500)}`);
  }
}

const mountAndServe = 'mount --bind "$1" /etc && exec "$2" -D -e';
