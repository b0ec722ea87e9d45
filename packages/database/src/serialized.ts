import { type QueryExecutorProvider, sql } from 'kysely';

const LOCK_CLASS = 0x6c696d69;

/**
 * Serializes transactions of a tenant that use the same `what`, from this call until they end. Use it to
 * enforce a maximum count: lock, count, compare, insert. `what` names the limit, e.g. `compliance-schedules`.
 */
export async function serialized(tx: QueryExecutorProvider, what: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${LOCK_CLASS}::int, hashtext(current_tenant()::text || ${what}))`.execute(
    tx,
  );
}
