import { readFile } from 'node:fs/promises';
import type { PostgresServer } from '@claviger/backing-servers';
import { Client } from '@claviger/postgres-client';
import type { Layout } from './layout.ts';
import { scramVerifier } from './scram-verifier.ts';
import { type StoreService, storeServices } from './services.ts';

export const databaseName = 'claviger';

/**
 * The three roles of a service: for migrations (owner of the schema), for requests, and for duties across
 * tenants.
 */
export function databaseRoles(service: StoreService) {
  return {
    owner: `claviger_${service}_owner`,
    service: `claviger_${service}`,
    system: `claviger_${service}_system`,
  } as const;
}

async function connect(postgres: PostgresServer, database: string): Promise<Client> {
  const client = new Client({
    host: postgres.socketDir,
    port: postgres.port,
    user: postgres.superuser,
    password: postgres.password,
    database,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/**
 * Creates the database, and each service's schema and roles. A repeated call only sets the passwords to those
 * of the secret files. A role can use its own schema only. No role bypasses row-level security. The migration
 * that creates a table grants access to it.
 */
export async function ensureDatabase(postgres: PostgresServer, layout: Layout): Promise<void> {
  const server = await connect(postgres, 'postgres');
  try {
    for (const service of storeServices) await ensureRoles(server, service, layout);
    const existing = await server.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    if (existing.rowCount === 0) await server.query(`CREATE DATABASE ${databaseName}`);
  } finally {
    await server.end();
  }
  const database = await connect(postgres, databaseName);
  try {
    await database.query(`REVOKE ALL ON DATABASE ${databaseName} FROM PUBLIC`);
    await database.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    await database.query('CREATE SCHEMA IF NOT EXISTS extensions');
    await database.query('GRANT USAGE ON SCHEMA extensions TO PUBLIC');
    await database.query('CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA extensions');
    for (const service of storeServices) {
      const { owner, ...users } = databaseRoles(service);
      const all = [owner, ...Object.values(users)].join(', ');
      await database.query(`GRANT CONNECT ON DATABASE ${databaseName} TO ${all}`);
      await database.query(`CREATE SCHEMA IF NOT EXISTS ${service} AUTHORIZATION ${owner}`);
      await database.query(`GRANT USAGE ON SCHEMA ${service} TO ${Object.values(users).join(', ')}`);
    }
  } finally {
    await database.end();
  }
}

async function ensureRoles(client: Client, service: StoreService, layout: Layout): Promise<void> {
  for (const [kind, role] of Object.entries(databaseRoles(service))) {
    const password = (await readFile(layout.databasePassword(role), 'utf8')).trim();
    const verifier = client.escapeLiteral(await scramVerifier(password));
    const existing = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
    if (existing.rowCount === 0) await client.query(`CREATE ROLE ${role}`);
    await client.query(
      `ALTER ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD ${verifier}`,
    );
    await client.query(`ALTER ROLE ${role} SET search_path = ${service}, extensions`);
    // A user that may create roles, but is not a superuser, must be a member of the role to give it a schema.
    if (kind === 'owner') {
      const me = await client.query<{ rolsuper: boolean }>(
        'SELECT rolsuper FROM pg_roles WHERE rolname = current_user',
      );
      if (me.rows[0]?.rolsuper === false) await client.query(`GRANT ${role} TO CURRENT_USER`);
    }
  }
}
