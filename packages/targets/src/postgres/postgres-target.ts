import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type ClientSettings } from '@claviger/postgres-client';
import { DatabaseError, escapeIdentifier, escapeLiteral } from 'pg';
import { freePort } from '../free-port.ts';
import { type OwnedProcess, startOwned } from '../owned-process.ts';
import { run } from '../run.ts';
import { until } from '../until.ts';
import { selfSignedCertificate } from './certificate.ts';
import { findPostgresBinaries } from './find-binaries.ts';
import { serverUser } from './server-user.ts';

export type PostgresLoginMethod = 'scram-sha-256' | 'password' | 'trust' | 'reject';

export interface PostgresTargetOptions {
  /** Folder with `initdb` and `postgres`; found when not given. */
  readonly binDir?: string;
  /** Loads PostgreSQL's own `passwordcheck`, which refuses a password equal to the role's name. */
  readonly passwordCheck?: boolean;
  /** A standby without a primary: it answers queries and refuses changes. */
  readonly standby?: boolean;
}

/**
 * A PostgreSQL cluster of its own, with SCRAM logins over TCP on loopback (with and without TLS), and no
 * socket file.
 */
export interface PostgresTarget extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly pid: number;
  /** The superuser. */
  readonly admin: { readonly username: string; readonly password: string };
  /** The server's self-signed certificate (PEM), which is also the CA to verify it with. */
  readonly certificate: string;
  createRole(name: string, password: string): Promise<void>;
  /** Whether the password is correct, by a direct login. Throws for any failure except a refused password. */
  accepts(name: string, password: string): Promise<boolean>;
  /**
   * Makes the server refuse every change by this role, including its own password; false allows them again.
   */
  refuseChangesBy(name: string, refuse?: boolean): Promise<void>;
  /** Sets the login method of all roles except the superuser (pg_hba.conf); `reject` refuses all. */
  setLoginMethod(method: PostgresLoginMethod): Promise<void>;
  /** Runs SQL as the superuser. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** The server's log; every statement is in it. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts the cluster; takes a few seconds. Throws when PostgreSQL is not installed or does not come up. */
export async function startPostgresTarget(options: PostgresTargetOptions = {}): Promise<PostgresTarget> {
  const binDir = options.binDir ?? findPostgresBinaries();
  const user = await serverUser();
  const folder = await mkdtemp(join(tmpdir(), 'claviger-pg-target-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    if (user !== undefined) await chown(folder, user.uid, user.gid);
    const dataDir = join(folder, 'data');
    const admin = { username: 'target_admin', password: randomBytes(24).toString('base64url') };
    const { certificate } = await initialise(binDir, folder, dataDir, admin, user);
    if (options.standby) await writeFile(join(dataDir, 'standby.signal'), '');
    const { server, port } = await startOnFreePort(binDir, dataDir, admin, options, user);
    const connection = { host: '127.0.0.1', port, database: 'postgres' };
    const sql = (text: string) =>
      query({ ...connection, user: admin.username, password: admin.password }, text);
    const stop = async () => {
      await server.stop('SIGINT');
      await removeFolder();
    };
    return {
      ...connection,
      pid: server.pid,
      admin,
      certificate,
      async createRole(name, password) {
        await sql(`CREATE ROLE ${escapeIdentifier(name)} LOGIN PASSWORD ${escapeLiteral(password)}`);
      },
      accepts: (name, password) => accepts({ ...connection, user: name, password }),
      async refuseChangesBy(name, refuse = true) {
        await sql(
          `ALTER ROLE ${escapeIdentifier(name)} SET default_transaction_read_only = ${refuse ? 'on' : 'off'}`,
        );
      },
      async setLoginMethod(method) {
        const rules = [
          `host all ${admin.username} 127.0.0.1/32 scram-sha-256`,
          `host all all 127.0.0.1/32 ${method}`,
        ];
        await writeFile(join(dataDir, 'pg_hba.conf'), `${rules.join('\n')}\n`);
        const loadedAt = async () => String((await sql('SELECT pg_conf_load_time()::text AS at'))[0]?.at);
        const before = await loadedAt();
        await sql('SELECT pg_reload_conf()');
        // The postmaster reads the rules; each new session inherits the time of loading.
        await until('pg_hba.conf reloaded', async () => (await loadedAt()) !== before);
      },
      sql,
      log: server.log,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

type User = { uid: number; gid: number } | undefined;
type Admin = PostgresTarget['admin'];

async function initialise(binDir: string, folder: string, dataDir: string, admin: Admin, user: User) {
  const owned = async (path: string, content: string) => {
    await writeFile(path, content, { mode: 0o600 });
    if (user !== undefined) await chown(path, user.uid, user.gid);
  };
  const passwordFile = join(folder, 'superuser');
  await owned(passwordFile, `${admin.password}\n`);
  await run(
    join(binDir, 'initdb'),
    [
      '-D',
      dataDir,
      '-U',
      admin.username,
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile}`,
      '-E',
      'UTF8',
      '--locale=C',
      '-N',
    ],
    user ?? {},
  );
  await rm(passwordFile);
  const { certificate, privateKey } = await selfSignedCertificate();
  await owned(join(dataDir, 'server.crt'), certificate);
  await owned(join(dataDir, 'server.key'), privateKey);
  return { certificate };
}

async function startOnFreePort(
  binDir: string,
  dataDir: string,
  admin: Admin,
  options: PostgresTargetOptions,
  user: User,
): Promise<{ server: OwnedProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${port}`,
      'unix_socket_directories=',
      'password_encryption=scram-sha-256',
      'ssl=on',
      'log_statement=all',
      'fsync=off',
      // A standby requires at least the values of its primary, here those of initdb.
      `max_connections=${options.standby ? 100 : 60}`,
      'shared_buffers=16MB',
      ...(options.passwordCheck ? ['shared_preload_libraries=passwordcheck'] : []),
    ];
    const args = ['-D', dataDir, ...settings.flatMap((setting) => ['-c', setting])];
    // On SIGQUIT the postmaster ends its children at once.
    const server = await startOwned(join(binDir, 'postgres'), args, { ...user, killWith: 'SIGQUIT' });
    const connection = {
      host: '127.0.0.1',
      port,
      user: admin.username,
      password: admin.password,
      database: 'postgres',
    };
    try {
      await until('PostgreSQL target ready', async () => {
        if (!server.running()) return true;
        // The port alone does not prove that this is the server just started.
        const [row] = await query(connection, 'SHOW data_directory');
        return row?.data_directory === dataDir;
      });
    } catch (error) {
      await server.stop('SIGQUIT');
      throw error;
    }
    if (server.running()) return { server, port };
    if (attempt === 5) throw new Error(`The PostgreSQL target did not start: ${server.log().slice(-500)}`);
  }
}

async function query(connection: ClientSettings, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(connection);
  // A failure during connect or query is thrown by that call.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows;
  } finally {
    await client.end();
  }
}

async function accepts(connection: ClientSettings): Promise<boolean> {
  try {
    await query(connection, 'SELECT 1');
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '28P01') return false;
    throw error;
  }
}
