import { lstat, mkdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from '@claviger/postgres-client';
import { type Account, serversAccount } from './account.ts';
import {
  type BackingServer,
  externalServer,
  startBackingServer,
  WrongServerError,
} from './backing-server.ts';
import { findTool } from './find-tool.ts';
import { withPasswordOf } from './password-file.ts';
import { endProcess, identifyProcess } from './process-identity.ts';
import { runProgram } from './run-program.ts';
import { createServerFolder, giveTo, readOrCreatePassword, writeServerFile } from './server-folder.ts';
import { pathHash } from './servers-folder.ts';

export interface StartPostgresOptions {
  /** The server's own folder; the cluster is in `data` below it. Created if missing. */
  readonly dataDir: string;
  readonly logFile: string;
  /** Holds the superuser's password; generated when missing. Default: `password` in `dataDir`. */
  readonly passwordFile?: string;
  /** The preferred port, used if it is free. */
  readonly port?: number;
  /** Use only `port`. */
  readonly portIsFixed?: boolean;
  /** The account to run under; default: see `serversAccount`. */
  readonly runAs?: Account;
  /**
   * Whether acknowledged data is on disk; default true. False is for tests: the data survives the death of
   * every process, but not a failure of the machine.
   */
  readonly fsync?: boolean;
  /** The environment with CLAVIGER_POSTGRES_URL and PATH. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface PostgresServer extends BackingServer {
  /** The host for `pg`: the folder of the Unix socket, or the name of the external server. */
  readonly socketDir: string;
  readonly superuser: string;
  readonly password: string;
  /** The superuser's URL over TCP, with the password: never shown, logged or passed as an argument. */
  readonly url: string;
}

const superuser = 'claviger_superuser';

/**
 * Settings on top of PostgreSQL's defaults. fsync and synchronous_commit stay on: acknowledged means on disk.
 */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  max_connections: '220',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %q%u@%d ',
  // A statement may contain a password (ALTER ROLE), so none is logged.
  log_min_error_statement: 'panic',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
};

/** For `fsync: false`. A commit still waits until its journal has been written to the operating system. */
const withoutFsync: Readonly<Record<string, string>> = { fsync: 'off', full_page_writes: 'off' };

/**
 * Starts a PostgreSQL (initialises its cluster the first time), or connects to the one in
 * CLAVIGER_POSTGRES_URL. Resolves when the superuser can connect and the server has proved that it is the one
 * just started. Recovers from a crash.
 */
export async function startPostgres(options: StartPostgresOptions): Promise<PostgresServer> {
  const env = options.env ?? process.env;
  const url = env.CLAVIGER_POSTGRES_URL;
  if (url !== undefined && url !== '') return connectToExternal(url, env.CLAVIGER_POSTGRES_PASSWORD_FILE);

  const account = options.runAs ?? (await serversAccount());
  await createServerFolder(options.dataDir, account);
  const folder = await realpath(options.dataDir);
  const data = join(folder, 'data');
  // A cluster needs a server of its own major version.
  const major = await readFile(join(data, 'PG_VERSION'), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
  const found = await findTool('postgres', env, (v) => major === undefined || v.split('.')[0] === major);
  if (!found.found || found.where === undefined || found.version === undefined) {
    throw new Error(
      major === undefined
        ? `PostgreSQL is missing: ${found.fix}`
        : `${data} was made by PostgreSQL ${major}, which was not found: ${found.fix}`,
    );
  }
  const bin = dirname(found.where);
  const password = await readOrCreatePassword(options.passwordFile ?? join(folder, 'password'));
  const fsync = options.fsync ?? true;
  if (major === undefined) await initialise(bin, folder, data, password, account, fsync);
  await endLeftover(data);
  const socketDir = await prepareSocketFolder(folder, account);

  const server = await startBackingServer({
    name: 'postgres',
    version: found.version,
    dataDir: folder,
    logFile: options.logFile,
    account,
    stopSignal: 'SIGINT', // fast shutdown: roll back what is open, checkpoint, end
    stopTimeoutMs: 30_000,
    startTimeoutMs: 120_000, // crash recovery replays the journal first
    port: options.port,
    portIsFixed: options.portIsFixed ?? false,
    prepare: async (port) => ({
      command: join(bin, 'postgres'),
      args: [
        '-D',
        data,
        '-p',
        String(port),
        '-k',
        socketDir,
        ...Object.entries({ ...settings, ...(fsync ? {} : withoutFsync) }).flatMap(([name, value]) => [
          '-c',
          `${name}=${value}`,
        ]),
      ],
    }),
    // After a kill, a busy process of the former server may not have exited yet.
    mustWait: (said) => said.includes('pre-existing shared memory block'),
    verify: async (port) => {
      const client = new Client({
        host: '127.0.0.1',
        port,
        user: superuser,
        password,
        database: 'postgres',
        connectionTimeoutMillis: 5_000,
      });
      client.on('error', () => {});
      try {
        await client.connect();
        const answer = await client.query<{ data_directory: string }>('SHOW data_directory');
        const served = answer.rows[0]?.data_directory;
        if (served !== data) {
          throw new WrongServerError(`another PostgreSQL answers on port ${port} (its data: ${served})`);
        }
      } catch (error) {
        if ((error as { code?: string }).code === '28P01') {
          throw new WrongServerError(
            `the password in ${options.passwordFile ?? join(folder, 'password')} is not the superuser's`,
          );
        }
        throw error;
      } finally {
        await client.end().catch(() => {});
      }
    },
  });
  return Object.assign(server, {
    socketDir,
    superuser,
    password,
    url: `postgres://${superuser}:${password}@127.0.0.1:${server.port}/postgres`,
  });
}

/**
 * Creates the cluster in a temporary folder and moves it when it is complete, so that a kill leaves no
 * partial one.
 */
async function initialise(
  bin: string,
  folder: string,
  data: string,
  password: string,
  account: Account | undefined,
  fsync: boolean,
): Promise<void> {
  const fresh = join(folder, 'data.new');
  const passwordFile = join(folder, 'initdb-password');
  await rm(fresh, { recursive: true, force: true });
  await writeServerFile(passwordFile, password, account);
  try {
    const result = await runProgram(
      join(bin, 'initdb'),
      [
        '-D',
        fresh,
        '-U',
        superuser,
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        ...(fsync ? [] : ['--no-sync']),
        process.platform === 'darwin' ? '--locale=en_US.UTF-8' : '--locale=C.UTF-8',
      ],
      { uid: account?.uid, gid: account?.gid, cwd: folder, env: { PATH: process.env.PATH, TZ: 'UTC' } },
    );
    if (result.code !== 0) throw new Error(`initdb failed in ${fresh}: ${result.stderr || result.stdout}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(fresh, data);
}

/**
 * Handles a postmaster.pid that outlived its server. If that server still runs (its supervisor was killed),
 * stops it gracefully; if the pid now belongs to another program, removes the file, because PostgreSQL would
 * take that program for its predecessor and refuse to start.
 */
async function endLeftover(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  const identity = await identifyProcess(pid);
  if (identity === undefined) return;
  const command = await runProgram('ps', ['-o', 'args=', '-p', String(pid)]);
  const isOurs = command.stdout.includes('postgres') && command.stdout.includes(data);
  if (isOurs) await endProcess(identity, 'SIGINT', 30_000);
  else await rm(file, { force: true });
}

/** The Unix socket's folder: below the server's folder unless that path is too long for a socket address. */
async function prepareSocketFolder(folder: string, account: Account | undefined): Promise<string> {
  const own = join(folder, 'socket');
  if (own.length + '/.s.PGSQL.65535'.length < 100) {
    await createServerFolder(own, account);
    return own;
  }
  const base = account === undefined ? (process.env.XDG_RUNTIME_DIR ?? tmpdir()) : '/run';
  const short = join(base, `claviger-${pathHash(folder)}`);
  await mkdir(short, { mode: 0o700 }).then(
    () => giveTo(short, account),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
  const { uid, mode } = await lstat(short);
  if (uid !== (account?.uid ?? process.getuid?.()) || (mode & 0o777) !== 0o700) {
    throw new Error(`${short} belongs to another user: remove it, or choose a shorter CLAVIGER_DATA_DIR`);
  }
  return short;
}

async function connectToExternal(text: string, passwordFile: string | undefined): Promise<PostgresServer> {
  const url = await withPasswordOf(text, passwordFile);
  const user = decodeURIComponent(url.username);
  const client = new Client({
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 5432),
    user,
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {});
  try {
    if (url.username === '') throw new Error('the URL names no user: postgres://USER@HOST:PORT/DATABASE');
    const tls = url.searchParams.get('sslmode') ?? 'disable';
    if (!['disable', 'allow', 'prefer'].includes(tls))
      throw new Error(
        `sslmode=${tls}: the services connect to PostgreSQL without TLS, over a private network: remove sslmode`,
      );
    await client.connect();
    const answer = await client.query<{ number: number; version: string; may: boolean }>(
      `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
              rolsuper OR (rolcreaterole AND rolcreatedb) AS may FROM pg_roles WHERE rolname = current_user`,
    );
    const row = answer.rows[0]!;
    if (row.number < 150_000) throw new Error(`it is version ${row.version}; needed is 15 or later`);
    if (!row.may)
      throw new Error(`${url.username} may not create roles and databases: give the URL of a user who may`);
    return Object.assign(externalServer('postgres', url.hostname, Number(url.port || 5432), row.version), {
      socketDir: url.hostname,
      superuser: user,
      password: decodeURIComponent(url.password),
      url: url.href,
    });
  } catch (error) {
    throw new Error(
      `the PostgreSQL of CLAVIGER_POSTGRES_URL (${url.hostname}:${url.port || 5432}) cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  } finally {
    await client.end().catch(() => {});
  }
}
