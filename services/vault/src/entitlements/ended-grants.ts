import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { VaultTx } from '../schema.ts';

/**
 * Serializes the placement and the removal of one grant. Uses an advisory lock, because the grant may not
 * have a row yet. Take it before the lock of the entry.
 */
export async function lockGrant(tx: VaultTx, grantId: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('grant ' || ${grantId}, 0))`.execute(tx);
}

/** Whether the grant ended before it was placed. */
export async function hasEnded(tx: VaultTx, grantId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('ended_grants')
    .select('grant_id')
    .where('grant_id', '=', grantId)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Stores the end of a grant that was never placed, so that a late placement is refused. Returns false if the
 * end was stored before.
 */
export async function rememberEnd(
  tx: VaultTx,
  tenantId: string,
  grantId: string,
  cause: string,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto('ended_grants')
    .values({ tenant_id: tenantId, grant_id: grantId, cause })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows > 0n;
}

export function grantEnded(): ClavigerError {
  return new ClavigerError('conflict', 'This grant has ended, or belongs to another entry or user.', {
    code: 'grant_ended',
  });
}
