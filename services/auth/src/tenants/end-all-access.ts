import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import { raiseDevices } from '../agents/agent-tokens-store.ts';
import type { AuthSchema } from '../schema.ts';
import type { LiveSession } from '../sign-in/liveness.ts';
import type { TenantsDeps } from './deps.ts';

/** What gateways must be notified of after the commit. */
export interface EndedAccess {
  /** Sessions that ended. */
  readonly revoked: readonly string[];
  /**
   * Sessions of API tokens, and agent tokens. Gateways introspect them again; they are refused while the
   * tenant is inactive.
   */
  readonly raised: readonly LiveSession[];
}

/**
 * Ends all access to the transaction's tenant. Sessions, refresh tokens and one-time links end. API tokens
 * and agent tokens are refused while the tenant is not active and work again afterwards, because machines
 * cannot sign in again. Repeatable: the result includes sessions that ended within 15 minutes.
 */
export async function endAllAccess(tx: Tx<AuthSchema>): Promise<EndedAccess> {
  await tx
    .updateTable('users')
    .set({ epoch: sql<number>`epoch + 1` })
    .where('deleted_at', 'is', null)
    .execute();
  await tx
    .updateTable('sessions')
    .set({ revoked_at: sql<Date>`now()`, revoked_reason: 'tenant-suspended' })
    .where('kind', '=', 'user')
    .where('revoked_at', 'is', null)
    .execute();
  await tx
    .updateTable('one_time_links')
    .set({ ended_at: sql<Date>`now()` })
    .where('ended_at', 'is', null)
    .execute();
  const revoked = await tx
    .selectFrom('sessions')
    .select('id')
    .where('kind', '=', 'user')
    .where(sql<boolean>`revoked_at > now() - interval '15 minutes'`)
    .execute();
  const raised = await tx
    .selectFrom('sessions')
    .innerJoin('users', (join) =>
      join.onRef('users.tenant_id', '=', 'sessions.tenant_id').onRef('users.id', '=', 'sessions.user_id'),
    )
    .select(['sessions.id', sql<number>`sessions.epoch + users.epoch`.as('epoch')])
    .where('sessions.kind', '=', 'api-token')
    .where('sessions.revoked_at', 'is', null)
    .where(sql<boolean>`sessions.expires_at > now()`)
    .execute();
  const agents = await raiseDevices(tx, 'all');
  return {
    revoked: revoked.map((row) => row.id),
    raised: [...raised.map((row) => ({ sessionId: row.id, epoch: row.epoch })), ...agents],
  };
}

/** Call after the commit and before the answer. Throws `unavailable` if gateways could not be notified. */
export async function notifyGateways(deps: Pick<TenantsDeps, 'liveness'>, ended: EndedAccess): Promise<void> {
  await Promise.all([deps.liveness.revoke(ended.revoked), deps.liveness.raise(ended.raised)]);
}
