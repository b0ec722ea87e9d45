import type { EndTenantAccess } from '@claviger/restore';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

/**
 * Ends all sessions, links, recovery codes and tokens of the restored state, because they may have ended or
 * been used after the backup. Locks and failure counts stay. Gateways introspect again because all live
 * entries are removed before the epoch is stored.
 */
export const endAccessAfterRestore: EndTenantAccess<AuthSchema> = async (
  tx,
  { keepApiTokens, keepAgentTokens },
) => {
  await tx
    .updateTable('users')
    .set({ epoch: sql<number>`epoch + 1` })
    .where('deleted_at', 'is', null)
    .execute();
  const sessions = await tx
    .updateTable('sessions')
    .set({ revoked_at: sql<Date>`now()`, revoked_reason: 'restore' })
    .where('revoked_at', 'is', null)
    .$if(keepApiTokens, (query) => query.where('kind', '=', 'user'))
    .executeTakeFirst();
  const links = await tx
    .updateTable('one_time_links')
    .set({ ended_at: sql<Date>`now()` })
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  const codes = await tx
    .updateTable('recovery_codes')
    .set({ used_at: sql<Date>`now()` })
    .where('used_at', 'is', null)
    .executeTakeFirst();
  await tx.updateTable('devices').set({ epoch: sql<number>`epoch + 1` }).execute();
  const agents = keepAgentTokens
    ? undefined
    : await tx
        .updateTable('agent_tokens')
        .set({ revoked_at: sql<Date>`clock_timestamp()`, revoked_reason: 'restore' })
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
  return {
    sessions: Number(sessions.numUpdatedRows),
    oneTimeLinks: Number(links.numUpdatedRows),
    recoveryCodes: Number(codes.numUpdatedRows),
    agentTokens: Number(agents?.numUpdatedRows ?? 0n),
  };
};
