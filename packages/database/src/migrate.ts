import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@claviger/postgres-client';

export interface Migration {
  /** e.g. `0001-users`. Migrations run once, in the order of their names, and never change afterwards. */
  readonly name: string;
  readonly sql: string;
}

export interface MigrateOptions {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly schema: string;
  readonly ownerUser: string;
  readonly ownerPassword: string;
  /** Roles that the migrations grant to. */
  readonly user: string;
  readonly systemUser: string;
}

const LOCK_KEY = 0x636c6176;
/** A migration that waits longer for a table would block all others. It fails and is run again. */
const LOCK_TIMEOUT_MS = 5_000;

/** The `NNNN-name.sql` files of a folder. */
export function migrationsIn(folder: string): Migration[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({ name: file.slice(0, -4), sql: readFileSync(join(folder, file), 'utf8') }));
}

/**
 * Migrates a schema as its owner, under one advisory lock and with one transaction per migration, so that an
 * aborted run can be repeated. Refuses a schema newer than this program, a migration that changed after it
 * was applied, tables without forced row-level security (unless commented `tenantless: why`), and views that
 * bypass it.
 *
 * Migrations may use `current_tenant()`, `CALL tenant_table('t')` (row-level security and grants for the
 * service) and `CALL system_reads('t')` (the system role may select the rows of all tenants).
 */
export async function migrate(options: MigrateOptions, migrations: readonly Migration[]): Promise<string[]> {
  const client = new Client({
    host: options.host,
    port: options.port,
    database: options.name,
    user: options.ownerUser,
    password: options.ownerPassword,
    options: `-c search_path=${options.schema} -c claviger.service_role=${options.user} -c claviger.system_role=${options.systemUser}`,
  });
  // A broken connection fails the running statement; without a listener, the event would end the process
  // first.
  client.on('error', () => {});
  await client.connect();
  try {
    // Replicas that start together wait without limit for the one that migrates.
    await client.query('SET lock_timeout = 0');
    await client.query('SELECT pg_advisory_lock($1, hashtext(current_schema()))', [LOCK_KEY]);
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(PRELUDE);
    const { rows } = await client.query<{ name: string; checksum: string }>(
      'SELECT name, checksum FROM schema_migrations',
    );
    const applied = new Map(rows.map((row) => [row.name, row.checksum]));
    const known = new Set(migrations.map((migration) => migration.name));
    const newer = [...applied.keys()].filter((name) => !known.has(name));
    if (newer.length > 0) {
      throw new Error(
        `The schema ${options.schema} is newer than this program (${newer.join(', ')}): run the newer release.`,
      );
    }
    const done: string[] = [];
    for (const migration of migrations) {
      const checksum = createHash('sha256').update(migration.sql).digest('hex');
      const before = applied.get(migration.name);
      if (before === checksum) continue;
      if (before)
        throw new Error(`The migration ${migration.name} was changed after it was applied: add a new one.`);
      await apply(client, migration, checksum);
      done.push(migration.name);
    }
    await refuseUnprotectedTables(client);
    return done;
  } finally {
    await client.end();
  }
}

async function apply(client: Client, migration: Migration, checksum: string): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(migration.sql);
    await client.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [
      migration.name,
      checksum,
    ]);
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => {});
    throw new Error(`The migration ${migration.name} failed: ${(cause as Error).message}`, { cause });
  }
}

async function refuseUnprotectedTables(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations'
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
      AND coalesce(obj_description(c.oid, 'pg_class'), '') NOT LIKE 'tenantless: %'`);
  if (rows.length > 0) {
    throw new Error(
      `Tables without forced row-level security: ${rows.map((row) => row.name).join(', ')}. CALL tenant_table('…') on them.`,
    );
  }
  // A view runs with its owner's rights unless security_invoker is set; a materialized view has no policies.
  const views = await client.query<{ name: string }>(`
    SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND (c.relkind = 'm'
      OR c.relkind = 'v' AND NOT coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false))`);
  if (views.rows.length > 0) {
    throw new Error(
      `Views that bypass row-level security: ${views.rows.map((row) => row.name).join(', ')}. Create them WITH (security_invoker = true); do not use materialized views.`,
    );
  }
}

const PRELUDE = `
CREATE TABLE IF NOT EXISTS schema_migrations (
  name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
);
DO $$ BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I, %I', current_schema(), current_setting('claviger.service_role'), current_setting('claviger.system_role'));
  EXECUTE format('GRANT SELECT ON schema_migrations TO %I', current_setting('claviger.system_role'));
END $$;
CREATE OR REPLACE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $f$ SELECT nullif(current_setting('app.tenant_id', true), '')::uuid $f$;
CREATE OR REPLACE PROCEDURE tenant_table(name regclass, verbs text DEFAULT 'SELECT, INSERT, UPDATE, DELETE') LANGUAGE plpgsql AS $p$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('CREATE POLICY tenant ON %s TO %I USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())',
    name, current_setting('claviger.service_role'));
  EXECUTE format('GRANT %s ON %s TO %I', verbs, name, current_setting('claviger.service_role'));
END $p$;
CREATE OR REPLACE PROCEDURE system_reads(name regclass) LANGUAGE plpgsql AS $p$
BEGIN
  EXECUTE format('CREATE POLICY system_reads ON %s FOR SELECT TO %I USING (true)', name, current_setting('claviger.system_role'));
  EXECUTE format('GRANT SELECT ON %s TO %I', name, current_setting('claviger.system_role'));
END $p$;
`;
