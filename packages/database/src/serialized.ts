import { type QueryExecutorProvider, sql } from 'kysely';

const LOCK_CLASS = 0x6c696d69;

/**
 * Lets one transaction of the tenant at a time go on from here, among those that name the same thing, until it ends. For
 * limits of counts: count, compare and insert after it. `what` names the limit, e.g. `compliance-schedules`.
 */
export async function serialized(tx: QueryExecutorProvider, what: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${LOCK_CLASS}::int, hashtext(current_tenant()::text || ${what}))`.execute(
    tx,
  );
}
