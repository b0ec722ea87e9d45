import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresPart, startPostgres } from '@claviger/parts';
import { Client } from '@claviger/postgres-client';
import type pg from 'pg';

/** What createDatabase and migrate need to reach one schema. */
export interface ScratchSchema {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly schema: string;
  readonly user: string;
  readonly password: string;
  readonly systemUser: string;
  readonly systemPassword: string;
  readonly ownerUser: string;
  readonly ownerPassword: string;
  readonly poolSize: number;
  readonly applicationName: string;
}

/** A PostgreSQL of its own, for tests of one package: real server, no services. */
export interface ScratchDatabase extends AsyncDisposable {
  readonly postgres: PostgresPart;
  /** A new empty schema with its three roles, none of which bypasses row-level security. */
  createSchema(): Promise<ScratchSchema>;
  /** As superuser, past every policy: to arrange and to look, never to do what is tested. */
  query<R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]>;
}

export async function startScratchDatabase(): Promise<ScratchDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'claviger-scratch-'));
  await chmod(folder, 0o711);
  const postgres = await startPostgres({ dataDir: join(folder, 'pg'), logFile: join(folder, 'pg.log') });
  const query = async <R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]> => {
    const client = new Client({
      host: postgres.socketDir,
      port: postgres.port,
      user: postgres.superuser,
      password: postgres.password,
      database: 'postgres',
    });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<R>(sql, values)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    postgres,
    query,
    createSchema: async () => {
      const schema = `s${randomBytes(6).toString('hex')}`;
      const password = randomBytes(24).toString('base64url');
      const roles = { owner: `${schema}_owner`, service: schema, system: `${schema}_system` };
      for (const role of Object.values(roles))
        await query(`CREATE ROLE ${role} LOGIN NOBYPASSRLS PASSWORD '${password}'`);
      await query(`CREATE SCHEMA ${schema} AUTHORIZATION ${roles.owner}`);
      return {
        host: postgres.socketDir,
        port: postgres.port,
        name: 'postgres',
        schema,
        user: roles.service,
        password,
        systemUser: roles.system,
        systemPassword: password,
        ownerUser: roles.owner,
        ownerPassword: password,
        poolSize: 4,
        applicationName: schema,
      };
    },
    [Symbol.asyncDispose]: async () => {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
