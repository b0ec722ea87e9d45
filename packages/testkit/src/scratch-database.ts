import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@claviger/backing-servers';
import { Client } from '@claviger/postgres-client';
import type pg from 'pg';
import { type ServerAccess, sharedPostgres } from './shared-postgres.ts';

/** The data that createDatabase and migrate need to reach one schema. */
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

/** A separate database for tests of one package: real server, no services. */
export interface ScratchDatabase extends AsyncDisposable {
  readonly postgres: ServerAccess;
  /** The database's name. */
  readonly name: string;
  /** Creates an empty schema with its three roles, none of which bypasses row-level security. */
  createSchema(): Promise<ScratchSchema>;
  /** Runs as superuser, past every policy: to prepare and inspect, never for the operation under test. */
  query<R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]>;
}

/** A database on a separate server, which the test may kill and configure. */
export interface ScratchServer extends ScratchDatabase {
  readonly postgres: PostgresServer;
}

/** A database whose one schema has been migrated. */
export interface MigratedDatabase extends ScratchDatabase {
  readonly schema: ScratchSchema;
}

/** Creates a database on the server that the test files of this run share, or else on a separate server. */
export async function startScratchDatabase(): Promise<ScratchDatabase> {
  const server = sharedPostgres();
  if (server === undefined) return startScratchServer();
  const name = `d${randomBytes(6).toString('hex')}`;
  await queryAt(server, 'postgres', `CREATE DATABASE ${name}`);
  return sharedDatabase(server, name);
}

/** Starts a separate server with one database, for tests that kill it or change its configuration. */
export async function startScratchServer(): Promise<ScratchServer> {
  const folder = await mkdtemp(join(tmpdir(), 'claviger-scratch-'));
  await chmod(folder, 0o711);
  const postgres = await startPostgres({
    dataDir: join(folder, 'pg'),
    logFile: join(folder, 'pg.log'),
    fsync: false,
  });
  return {
    ...databaseAt(postgres, 'postgres'),
    postgres,
    [Symbol.asyncDispose]: async () => {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const TEMPLATE_LOCK = 0x74706c;

/**
 * A new database with the migrated schema of one service. On the shared server the first file migrates the
 * template `tpl_<service>`, and every file copies it: the roles are those of the template, so a role alone
 * does not tell one file's connections from another's; `current_database()` does.
 */
export async function startMigratedDatabase(
  service: string,
  migrate: (schema: ScratchSchema) => Promise<unknown>,
): Promise<MigratedDatabase> {
  const server = sharedPostgres();
  if (server === undefined) {
    const scratch = await startScratchServer();
    const schema = await scratch.createSchema();
    await migrate(schema);
    return { ...scratch, schema };
  }
  const template = `tpl_${service}`;
  const name = `d${randomBytes(6).toString('hex')}`;
  const schemaAt = (database: string) => schemaOf(server, database, template, server.password);
  await withClient(server, 'postgres', async (client) => {
    await client.query('SELECT pg_advisory_lock($1, hashtext($2))', [TEMPLATE_LOCK, template]);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [template]);
    if (rowCount === 0) {
      const unfinished = `${template}_new`;
      await client.query(`DROP DATABASE IF EXISTS ${unfinished}`);
      await client.query(`CREATE DATABASE ${unfinished}`);
      await createRolesAndSchema(server, schemaAt(unfinished));
      await migrate(schemaAt(unfinished));
      await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`);
    }
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  return { ...sharedDatabase(server, name), schema: schemaAt(name) };
}

function databaseAt(server: ServerAccess, name: string): Omit<ScratchDatabase, keyof AsyncDisposable> {
  return {
    postgres: server,
    name,
    query: (sql, values) => queryAt(server, name, sql, values),
    createSchema: async () => {
      const role = `s${randomBytes(6).toString('hex')}`;
      const schema = schemaOf(server, name, role, randomBytes(24).toString('base64url'));
      await createRolesAndSchema(server, schema);
      return schema;
    },
  };
}

/** Dropped when disposed, including open connections. */
function sharedDatabase(server: ServerAccess, name: string): ScratchDatabase {
  return {
    ...databaseAt(server, name),
    [Symbol.asyncDispose]: async () =>
      void (await queryAt(server, 'postgres', `DROP DATABASE ${name} WITH (FORCE)`)),
  };
}

function schemaOf(server: ServerAccess, name: string, role: string, password: string): ScratchSchema {
  return {
    host: server.socketDir,
    port: server.port,
    name,
    schema: role,
    user: role,
    password,
    systemUser: `${role}_system`,
    systemPassword: password,
    ownerUser: `${role}_owner`,
    ownerPassword: password,
    poolSize: 4,
    applicationName: role,
  };
}

async function createRolesAndSchema(server: ServerAccess, schema: ScratchSchema): Promise<void> {
  const at = (sql: string) => queryAt(server, schema.name, sql);
  for (const role of [schema.ownerUser, schema.user, schema.systemUser]) {
    await at(`DROP ROLE IF EXISTS ${role}`);
    await at(`CREATE ROLE ${role} LOGIN NOBYPASSRLS PASSWORD '${schema.password}'`);
  }
  await at(`CREATE SCHEMA ${schema.schema} AUTHORIZATION ${schema.ownerUser}`);
}

async function queryAt<R extends pg.QueryResultRow>(
  server: ServerAccess,
  database: string,
  sql: string,
  values?: unknown[],
): Promise<R[]> {
  return withClient(server, database, async (client) => (await client.query<R>(sql, values)).rows);
}

async function withClient<T>(
  { socketDir, port, superuser, password }: ServerAccess,
  database: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ host: socketDir, port, user: superuser, password, database });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
