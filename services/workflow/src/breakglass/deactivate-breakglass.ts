import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, type Handler, permits } from '@claviger/service-kit';
import { sql } from 'kysely';
import { presentMs } from '../database-clock.ts';
import type { WorkflowSchema } from '../schema.ts';
import { FIRST_TRY_SECONDS } from './activate-breakglass.ts';
import { alert } from './alert.ts';
import type { BreakglassSessionRow } from './breakglass-schema.ts';
import type { BreakglassDeps } from './deps.ts';
import { expireSessions } from './expire-sessions.ts';
import { deactivationPending, notOpen } from './refusals.ts';
import { sessionDetails, subjectOf } from './session-details.ts';
import { sessionMessage } from './session-view.ts';
import { syncEmergency } from './sync-emergency.ts';

/**
 * Ends emergency access: the actor's own, or that of any user with breakglass.manage. Returns when the vault
 * has confirmed the end. Otherwise the session is ended here, the call throws unavailable
 * `deactivation_pending`, and repeating it completes the end.
 */
export function deactivateBreakglass(
  deps: BreakglassDeps,
): Handler<typeof breakglass.BreakglassService.deactivateBreakglass> {
  return async (request, context) => {
    const named = request.sessionId;
    if (named) context.auditSubject = subjectOf(named);
    const { row, nowMs } = await deps.database.withTenant(context.tenantId, async (tx) => {
      const found = await find(tx, context, named);
      context.auditSubject = subjectOf(found.id);
      // A session past its time is recorded as expired, not as deactivated.
      await expireSessions(deps, tx, (query) => query.where('id', '=', found.id));
      const ended =
        (await end(tx, context, found, request.reason)) ?? (await findUnsyncedSession(tx, found.id));
      await deps.emitter.audit(tx, context, {
        reason: request.reason,
        details: { ...sessionDetails(ended), endedAt: ended.ended_at!.toISOString() },
      });
      return { row: ended, nowMs: await presentMs(tx) };
    });
    alert(deps.logger, { sessionId: row.id, userId: row.user_id }, 'emergency access has ended');
    try {
      return { session: sessionMessage(await syncEmergency(deps, row, context.requestId), nowMs) };
    } catch (cause) {
      throw deactivationPending(cause);
    }
  };
}

/** Locks the session: the named one, else the actor's own that is open or not yet confirmed by the vault. */
async function find(
  tx: Tx<WorkflowSchema>,
  { actor }: CallContext,
  named: string,
): Promise<BreakglassSessionRow> {
  const rows = tx.selectFrom('breakglass_sessions').selectAll().forUpdate();
  if (named === '') {
    const own = await rows
      .where('user_id', '=', actor.userId)
      .where(sql<boolean>`(state IN ('awaiting-confirmation', 'active') OR sync_wanted = 'end')`)
      .orderBy('requested_at', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (!own) throw notOpen();
    return own;
  }
  const row = await rows.where('id', '=', named).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  if (row.user_id === actor.userId || permits(actor.permissions, 'breakglass.manage')) return row;
  if (!permits(actor.permissions, 'breakglass.read')) throw ClavigerError.notFound();
  throw new ClavigerError(
    'denied',
    'The permission breakglass.manage is required to end the emergency access of another user.',
  );
}

function end(
  tx: Tx<WorkflowSchema>,
  { actor }: CallContext,
  found: BreakglassSessionRow,
  reason: string,
): Promise<BreakglassSessionRow | undefined> {
  return tx
    .updateTable('breakglass_sessions')
    .set({
      state: 'deactivated',
      ended_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
      ended_by_name: actor.userName,
      end_reason: reason,
      // A session that was never active is unknown to auth and the vault.
      ...(found.activated_at
        ? {
            sync_wanted: 'end' as const,
            next_sync_at: sql<Date>`clock_timestamp() + make_interval(secs => ${FIRST_TRY_SECONDS})`,
            sync_attempts: 0,
          }
        : {}),
    })
    .where('id', '=', found.id)
    .where('state', 'in', ['awaiting-confirmation', 'active'])
    .returningAll()
    .executeTakeFirst();
}

/** An ended session that the vault may not have confirmed: repeating the call completes the end. */
async function findUnsyncedSession(tx: Tx<WorkflowSchema>, id: string): Promise<BreakglassSessionRow> {
  const row = await tx
    .selectFrom('breakglass_sessions')
    .selectAll()
    .where('id', '=', id)
    .where('sync_wanted', '=', 'end')
    .executeTakeFirst();
  if (!row) throw notOpen();
  return row;
}
