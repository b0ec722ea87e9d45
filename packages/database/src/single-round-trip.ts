import type { CompiledQuery } from 'kysely';
import type pg from 'pg';
import { statementName } from './client-dialect.ts';
import { isConnectionSpoilt, shownError } from './outage.ts';

export const SET_TENANT = { name: 'set-tenant', text: "SELECT set_config('app.tenant_id', $1, true)" };

export type Connect = () => Promise<pg.PoolClient>;

/** One statement of a single-round-trip transaction; it runs as this tenant. */
export interface TenantQuery {
  readonly tenantId: string;
  readonly query: CompiledQuery;
}

/** Sends the queries of `work` in few writes; otherwise each statement would cause several small ones. */
export function corked<T>(client: pg.ClientBase, work: () => T): T {
  const { stream } = (client as unknown as { connection: { stream: { cork(): void; uncork(): void } } })
    .connection;
  stream.cork();
  try {
    return work();
  } finally {
    stream.uncork();
  }
}

/** Runs one transaction of one tenant in a single round trip; resolves after the commit. */
export function singleRoundTrip(
  connect: Connect,
  tenantId: string,
  queries: readonly CompiledQuery[],
): Promise<pg.QueryResult[]> {
  return sendTransaction(
    connect,
    queries.map((query) => ({ tenantId, query })),
  );
}

/**
 * Runs one transaction in a single round trip, each statement as its own tenant. All are committed or none.
 */
export async function sendTransaction(
  connect: Connect,
  queries: readonly TenantQuery[],
): Promise<pg.QueryResult[]> {
  // Checked before anything is sent: a value that cannot be sent would drop its statement from the
  // transaction.
  const values = queries.map(({ query }) => query.parameters.map(sendable));
  const client = await connect();
  const results: Promise<pg.QueryResult>[] = [];
  const others: Promise<pg.QueryResult>[] = [];
  corked(client, () => {
    others.push(client.query('BEGIN'));
    let tenant: string | undefined;
    queries.forEach(({ tenantId, query }, index) => {
      if (tenantId !== tenant) others.push(client.query({ ...SET_TENANT, values: [tenantId] }));
      tenant = tenantId;
      const name = statementName(query.sql);
      results.push(client.query({ ...(name ? { name } : {}), text: query.sql, values: values[index]! }));
    });
    others.push(client.query('COMMIT'));
  });
  const settled = await Promise.allSettled([...results, ...others]);
  const failure = settled.find((result) => result.status === 'rejected');
  const committed = settled.at(-1);
  if (!failure && committed?.status === 'fulfilled' && committed.value.command === 'COMMIT') {
    client.release();
    return settled
      .slice(0, results.length)
      .map((result) => (result as PromiseFulfilledResult<pg.QueryResult>).value);
  }
  const error: unknown = failure?.reason ?? new Error('The transaction was rolled back by the database.');
  client.release(isConnectionSpoilt(error));
  throw shownError(error);
}

/** Returns a value that the driver can send; throws for any other. */
function sendable(value: unknown): unknown {
  if (value === undefined || value === null || typeof value !== 'object') {
    if (typeof value === 'symbol' || typeof value === 'function')
      throw new TypeError(`A ${typeof value} is not a value of a statement.`);
    return value;
  }
  if (value instanceof Date || value instanceof Uint8Array) return value;
  return Array.isArray(value) ? value.map(sendable) : JSON.stringify(value);
}
