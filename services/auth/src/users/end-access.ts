import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { type EndedBecause, endSessionsOfUser } from '../sign-in/sessions-store.ts';

/** Ends every way in: sessions, API tokens, reset links. Answers the sessions that gateways must be told of. */
export async function endAccess(
  tx: Tx<AuthSchema>,
  userId: string,
  because: EndedBecause,
): Promise<string[]> {
  await tx
    .updateTable('one_time_links')
    .set({ ended_at: sql`now()` })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .execute();
  await tx.updateTable('users').set({ epoch: sql`epoch + 1` }).where('id', '=', userId).execute();
  return (await endSessionsOfUser(tx, userId, because)).tell;
}
