import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type Actor, type CallContext, type Handler, permits } from '@claviger/service-kit';
import { sql } from 'kysely';
import { presentMs } from '../database-clock.ts';
import type { GrantRow, WorkflowSchema } from '../schema.ts';
import type { GrantsDeps } from './deps.ts';
import { grantMessage } from './grant-view.ts';
import { syncEntitlement } from './sync-entitlement.ts';

/** The revoking call makes the first attempt; the due queue follows after this time. */
const FIRST_TRY_SECONDS = 5;

/**
 * Ends a grant: the actor's own, or any with grants.revoke. Returns when the vault has removed the
 * entitlement. If the vault is unavailable, the grant is revoked, the call throws `unavailable`, and
 * repeating it completes the removal.
 */
export function revokeGrant(deps: GrantsDeps): Handler<typeof workflow.GrantsService.revokeGrant> {
  return async (request, context) => {
    const { actor, tenantId } = context;
    if (!permits(actor.permissions, 'grants.revoke') && !permits(actor.permissions, 'grants.use')) {
      throw new ClavigerError('denied', 'The permission grants.revoke is required.', {
        hint: 'Ask an administrator for a role with this permission.',
      });
    }
    const id = request.grantId;
    context.auditSubject = { type: 'grant', id };
    const { grant, nowMs } = await deps.database.withTenant(tenantId, async (tx) => {
      const found = await tx.selectFrom('grants').selectAll().where('id', '=', id).executeTakeFirst();
      const row = allowedToEnd(found, actor);
      context.auditSubject = {
        type: 'grant',
        id,
        ...(row.resource_id ? { resourceId: row.resource_id } : {}),
      };
      const ended = await revoke(tx, id, actor, request.reason);
      const revoked = ended ?? (await awaitingRemoval(tx, id));
      await recordRevocation(deps, tx, context, revoked, request.reason, ended === undefined);
      return { grant: revoked, nowMs: await presentMs(tx) };
    });
    try {
      const told = await syncEntitlement(deps, grant, context.requestId);
      return { grant: grantMessage(told, nowMs) };
    } catch (cause) {
      throw new ClavigerError(
        'unavailable',
        'The grant is revoked, but the vault has not confirmed it yet.',
        {
          code: 'revocation_pending',
          hint: 'The service repeats the call to the vault. Call again to wait for the confirmation.',
          retryAfterSeconds: 2,
          cause,
        },
      );
    }
  };
}

function allowedToEnd(grant: GrantRow | undefined, actor: Actor): GrantRow {
  if (!grant) throw ClavigerError.notFound();
  if (grant.user_id === actor.userId || permits(actor.permissions, 'grants.revoke')) return grant;
  if (!permits(actor.permissions, 'grants.read-all')) throw ClavigerError.notFound();
  throw new ClavigerError(
    'denied',
    'The permission grants.revoke is required for the grant of another user.',
  );
}

/** Revokes the grant if it is active until now. Undefined if it is not. */
function revoke(
  tx: Tx<WorkflowSchema>,
  id: string,
  actor: Actor,
  reason: string,
): Promise<GrantRow | undefined> {
  return tx
    .updateTable('grants')
    .set({
      status: 'revoked',
      ended_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
      revoked_by: actor.userId,
      revoke_reason: reason,
      sync_wanted: 'remove',
      next_sync_at: sql<Date>`clock_timestamp() + make_interval(secs => ${FIRST_TRY_SECONDS})`,
      sync_attempts: 0,
    })
    .where('id', '=', id)
    .where('status', 'in', ['activating', 'active'])
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .returningAll()
    .executeTakeFirst();
}

/**
 * A revoked grant that the vault may not have confirmed: repeating the call completes the removal. Any other
 * status is a conflict.
 */
async function awaitingRemoval(tx: Tx<WorkflowSchema>, id: string): Promise<GrantRow> {
  const row = await tx
    .selectFrom('grants')
    .selectAll()
    .where('id', '=', id)
    .where('status', '=', 'revoked')
    .where('sync_wanted', '=', 'remove')
    .executeTakeFirst();
  if (row) return row;
  throw new ClavigerError('conflict', 'The grant is not active.', {
    code: 'wrong_status',
    hint: 'Read it to see when and how it ended.',
  });
}

async function recordRevocation(
  deps: GrantsDeps,
  tx: Tx<WorkflowSchema>,
  context: CallContext,
  grant: GrantRow,
  reason: string,
  repeated: boolean,
): Promise<void> {
  await deps.emitter.audit(tx, context, {
    reason,
    details: {
      userId: grant.user_id,
      userName: grant.user_name,
      entryId: grant.entry_id,
      accessRequestId: grant.request_id,
      // A repeated call that confirms the revocation returns its original time.
      revokedAt: grant.ended_at!.toISOString(),
      startsAt: grant.starts_at.toISOString(),
      endedAt: grant.ended_at!.toISOString(),
      repeated,
    },
  });
}
