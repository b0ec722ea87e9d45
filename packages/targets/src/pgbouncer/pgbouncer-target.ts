import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@claviger/postgres-client';
import { findProgram } from '../find-program.ts';
import { freePort } from '../free-port.ts';
import { type OwnedProcess, startOwned } from '../owned-process.ts';
import type { PostgresTarget } from '../postgres/postgres-target.ts';
import { serverUser } from '../postgres/server-user.ts';
import { createTargetFolder, type TargetFolder } from '../target-folder.ts';
import { until } from '../until.ts';

/**
 * A PgBouncer before a PostgreSQL target, with SCRAM logins. Its databases `session` and `transaction` are
 * pooled as their names say; logins of `forced` run as the superuser. It asks the server for the password of
 * a role that its userlist.txt does not have.
 */
export interface PgbouncerTarget extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Maximum number of client connections. */
  readonly maxClients: number;
  /** Writes the roles and passwords of userlist.txt, and has it read again. No login may be under way. */
  list(passwords: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
}

const MAX_CLIENTS = 20;

/** Starts it; takes a moment. Throws when PgBouncer is not installed or does not come up. */
export async function startPgbouncerTarget(postgres: PostgresTarget): Promise<PgbouncerTarget> {
  const program = findProgram(['pgbouncer'], 'pgbouncer');
  const user = await serverUser();
  const folder = await createTargetFolder('pgbouncer', user);
  const { admin } = postgres;
  const list = join(folder.path, 'userlist.txt');
  const writeList = async (passwords: Readonly<Record<string, string>>) => {
    const written = await folder.write(
      'userlist.new',
      Object.entries({ ...passwords, [admin.username]: admin.password })
        .map(([name, password]) => `"${name.replaceAll('"', '""')}" "${password.replaceAll('"', '""')}"\n`)
        .join(''),
    );
    // Within one second PgBouncer detects a changed file only by its inode.
    await rename(written, list);
  };
  try {
    await writeList({});
    const { server, port } = await startOnFreePort(program, folder, list, postgres, user);
    const stop = async () => {
      await server.stop('SIGKILL');
      await folder.remove();
    };
    return {
      host: '127.0.0.1',
      port,
      maxClients: MAX_CLIENTS,
      async list(passwords) {
        await writeList(passwords);
        // Resolves when it is done. A signal could arrive during a login, which can crash PgBouncer 1.18.
        await ask({ ...postgres.admin, port, database: 'pgbouncer' }, 'RELOAD');
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function startOnFreePort(
  program: string,
  folder: TargetFolder,
  list: string,
  { admin, port: serverPort }: PostgresTarget,
  user: { readonly uid: number; readonly gid: number } | undefined,
): Promise<{ server: OwnedProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const database = `host=127.0.0.1 port=${serverPort} dbname=postgres`;
    const config = await folder.write(
      'pgbouncer.ini',
      [
        '[databases]',
        `session = ${database} auth_user=${admin.username} pool_mode=session`,
        `transaction = ${database} auth_user=${admin.username} pool_mode=transaction`,
        `forced = ${database} user=${admin.username}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${port}`,
        'unix_socket_dir =',
        'auth_type = scram-sha-256',
        `auth_file = ${list}`,
        'auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1',
        `admin_users = ${admin.username}`,
        `max_client_conn = ${MAX_CLIENTS}`,
        '',
      ].join('\n'),
    );
    const server = await startOwned(program, [config], user ?? {});
    try {
      await until('PgBouncer target ready', async () => {
        if (!server.running()) return true;
        await ask({ ...admin, port, database: 'session' }, 'SELECT 1');
        return true;
      });
    } catch (error) {
      await server.stop('SIGKILL');
      throw error;
    }
    if (server.running()) return { server, port };
    if (attempt === 5) throw new Error(`The PgBouncer target did not start: ${server.log().slice(-500)}`);
  }
}

async function ask(
  login: {
    readonly username: string;
    readonly password: string;
    readonly port: number;
    readonly database: string;
  },
  statement: string,
): Promise<void> {
  const client = new Client({ host: '127.0.0.1', user: login.username, ...login });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
