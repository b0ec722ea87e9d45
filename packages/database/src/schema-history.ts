import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { Migration } from './migrate.ts';

/** The migrations of a schema, compared with those of the running program. */
export interface SchemaHistory {
  /** In the order of application; times are RFC 3339. */
  readonly applied: { name: string; appliedAt: string }[];
  /** Known to the program but not applied yet. */
  readonly pending: string[];
  /** Applied but unknown to the program: the program is older than its schema. */
  readonly newer: string[];
}

/** Reads the schema's record of its migrations. */
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
