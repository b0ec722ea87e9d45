import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { findProgram } from '../find-program.ts';
import { freePort } from '../free-port.ts';
import { type OwnedProcess, startOwned } from '../owned-process.ts';
import { selfSignedCertificate } from '../postgres/certificate.ts';
import { serverUser } from '../postgres/server-user.ts';
import { createTargetFolder } from '../target-folder.ts';
import { until } from '../until.ts';
import { bootstrap, smallStore } from './bootstrap.ts';

/** A MariaDB server of its own, over TCP on loopback, with and without TLS. */
export interface MysqlTarget extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** The administrator. */
  readonly admin: { readonly username: string; readonly password: string };
  /** The server's self-signed certificate (PEM), which is also the CA to verify it with. */
  readonly certificate: string;
  /** `host` is the host part of the account, `%` when not given. */
  createUser(name: string, password: string, host?: string): Promise<void>;
  /** Whether the password is correct, by a direct login. Throws for any failure except a refused password. */
  accepts(name: string, password: string): Promise<boolean>;
  /** Runs SQL as the administrator. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Every statement that the server was sent. */
  generalLog(): string;
  stop(): Promise<void>;
}

/** Starts the server; takes a second or two. Throws when MariaDB is not installed or does not come up. */
export async function startMysqlTarget(): Promise<MysqlTarget> {
  const mariadbd = findProgram(['mariadbd', 'mysqld'], 'mariadb-server');
  const user = await serverUser(['mysql', 'nobody']);
  const folder = await createTargetFolder('mysql', user);
  try {
    const admin = { username: 'target_admin', password: randomBytes(24).toString('base64url') };
    const data = await bootstrap(mariadbd, folder.path, admin, user);
    const { certificate, privateKey } = await selfSignedCertificate();
    const files = {
      certificate: await folder.write('server.crt', certificate),
      key: await folder.write('server.key', privateKey),
      generalLog: join(folder.path, 'general.log'),
    };
    const { server, port } = await startOnFreePort(mariadbd, folder.path, data, files, admin, user);
    const address = { host: '127.0.0.1', port };
    const sql = (text: string) => query({ ...address, user: admin.username, password: admin.password }, text);
    const stop = async () => {
      await server.stop('SIGKILL');
      await folder.remove();
    };
    return {
      ...address,
      pid: server.pid,
      admin,
      certificate,
      async createUser(name, password, host = '%') {
        await sql(
          `CREATE USER ${mysql.escape(name)}@${mysql.escape(host)} IDENTIFIED BY ${mysql.escape(password)}`,
        );
      },
      async accepts(name, password) {
        try {
          await query({ ...address, user: name, password }, 'SELECT 1');
          return true;
        } catch (error) {
          if (error instanceof Error && 'errno' in error && error.errno === 1045) return false;
          throw error;
        }
      },
      sql,
      generalLog: () => readFileSync(files.generalLog, 'utf8'),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function startOnFreePort(
  mariadbd: string,
  folder: string,
  data: string,
  files: { readonly certificate: string; readonly key: string; readonly generalLog: string },
  admin: MysqlTarget['admin'],
  user: { readonly uid: number; readonly gid: number } | undefined,
): Promise<{ server: OwnedProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const args = [
      '--no-defaults',
      `--datadir=${data}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      // The path of a socket is limited in length, so it is relative to the data folder.
      '--socket=s',
      `--ssl-cert=${files.certificate}`,
      `--ssl-key=${files.key}`,
      '--skip-name-resolve',
      '--skip-log-bin',
      '--general-log',
      `--general-log-file=${files.generalLog}`,
      `--tmpdir=${folder}`,
      '--max-connections=60',
      '--max-connect-errors=1000000',
      ...smallStore,
    ];
    const server = await startOwned(mariadbd, args, user ?? {});
    const connection = { host: '127.0.0.1', port, user: admin.username, password: admin.password };
    try {
      await until('MariaDB target ready', async () => {
        if (!server.running()) return true;
        // The port alone does not prove that this is the server just started.
        const [row] = await query(connection, 'SELECT @@datadir AS datadir');
        return row?.datadir === `${data}/`;
      });
    } catch (error) {
      await server.stop('SIGKILL');
      throw error;
    }
    if (server.running()) return { server, port };
    if (attempt === 5) throw new Error(`The MariaDB target did not start: ${server.log().slice(-500)}`);
  }
}

async function query(
  connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
  },
  text: string,
): Promise<Record<string, unknown>[]> {
  const client = await mysql.createConnection({ ...connection });
  // A failure during a query is thrown by that query.
  client.on('error', () => {});
  try {
    const [rows] = await client.query<mysql.RowDataPacket[]>(text);
    return Array.isArray(rows) ? rows : [];
  } finally {
    client.destroy();
  }
}
