import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { VaultTx } from '../schema.ts';

/** Locks the grant: its end waits for this disclosure and then sees its exposure. Throws `denied`. */
export async function requireLiveGrant(tx: VaultTx, context: CallContext, entryId: string): Promise<void> {
  const grant = await tx
    .selectFrom('entitlements')
    .select('grant_id')
    .where('entry_id', '=', entryId)
    .where('user_id', '=', context.actor.userId)
    .where('removed_at', 'is', null)
    .where('one_time', '=', false)
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .limit(1)
    .forShare()
    .executeTakeFirst();
  if (grant) return;
  throw new ClavigerError('denied', 'This entry requires a live grant.', {
    hint: 'Request access with POST /api/v1/requests, then try again.',
  });
}
