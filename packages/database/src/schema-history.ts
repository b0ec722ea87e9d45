import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { Migration } from './migrate.ts';

/** What was done to a schema, beside what the running program knows. */
export interface SchemaHistory {
  /** In the order of their application; times are RFC 3339. */
  readonly applied: { name: string; appliedAt: string }[];
  /** Known to the program and not applied yet. */
  readonly pending: string[];
  /** Applied and not known to the program: it is older than its schema. */
  readonly newer: string[];
}

/** From the schema's own record of its migrations. */
export async function schemaHistory<DB>(
  database: Database<DB>,
  migrations: readonly Migration[],
): Promise<SchemaHistory> {
  const { rows } = await database.system((tx) =>
    sql<{
      name: string;
      applied_at: Date;
    }>`SELECT name, applied_at FROM schema_migrations ORDER BY applied_at, name`.execute(tx),
  );
  const applied = new Set(rows.map(({ name }) => name));
  const known = new Set(migrations.map(({ name }) => name));
  return {
    applied: rows.map((row) => ({ name: row.name, appliedAt: row.applied_at.toISOString() })),
    pending: [...known].filter((name) => !applied.has(name)),
    newer: [...applied].filter((name) => !known.has(name)),
  };
}
