import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { endSessionsOfUser, raiseEpoch, type SessionEndCause } from '../sign-in/sessions-store.ts';
import type { EndedAccess } from '../tenants/end-all-access.ts';

/**
 * Ends sessions, API tokens and reset links of a user. Returns also the sessions of the user's machine
 * identities, which gateways introspect again.
 */
export async function endAccess(
  tx: Tx<AuthSchema>,
  userId: string,
  cause: SessionEndCause,
): Promise<EndedAccess> {
  await tx
    .updateTable('one_time_links')
    .set({ ended_at: sql`now()` })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .execute();
  const { revoked } = await endSessionsOfUser(tx, userId, cause);
  return { revoked, raised: await raiseEpoch(tx, [userId]) };
}
