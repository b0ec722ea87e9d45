import { createHash } from 'node:crypto';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type { ClientBase } from 'pg';

const names = new Map<string, string>();
/** Prepared statements per connection; PostgreSQL keeps each in the memory of its server process. */
const MAX_NAMES = 1_000;

/**
 * Each statement text gets one name, so that every connection prepares it once. Returns undefined above the
 * limit; such a statement is parsed each time. The number of texts is bounded as long as none contains a list
 * or a value (`anyOf`).
 */
export function statementName(text: string): string | undefined {
  let name = names.get(text);
  if (!name && names.size < MAX_NAMES) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 22);
    names.set(text, name);
  }
  return name;
}

/** A Kysely instance that runs all statements on this client until `close()`; afterwards it throws. */
export function kyselyOn<DB>(client: ClientBase): { kysely: Kysely<DB>; close: () => void } {
  let open = true;
  const connection: DatabaseConnection = {
    executeQuery: async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
      if (!open) throw new Error('This transaction has ended.');
      const name = query.parameters.length > 0 ? statementName(query.sql) : undefined;
      const result = await client.query({
        ...(name ? { name } : {}),
        text: query.sql,
        values: query.parameters as unknown[],
      });
      return { rows: result.rows as R[], numAffectedRows: BigInt(result.rowCount ?? 0) };
    },
    streamQuery: () => {
      throw new Error('Read long results in keyset batches.');
    },
  };
  const dialect: Dialect = {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => ({
      init: async () => {},
      acquireConnection: async () => connection,
      beginTransaction: refuse,
      commitTransaction: refuse,
      rollbackTransaction: refuse,
      releaseConnection: async () => {},
      destroy: async () => {},
    }),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
  return {
    kysely: new Kysely<DB>({ dialect }),
    close: () => {
      open = false;
    },
  };
}

async function refuse(): Promise<never> {
  throw new Error('Transactions are opened by withTenant, readTenant and system only.');
}
