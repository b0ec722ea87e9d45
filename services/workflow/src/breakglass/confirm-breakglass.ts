import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import { requireActiveTenant, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, type Handler, peopleBehind } from '@claviger/service-kit';
import { sql } from 'kysely';
import { presentMs } from '../database-clock.ts';
import type { WorkflowSchema } from '../schema.ts';
import { activatedFor } from './activate-breakglass.ts';
import { alert } from './alert.ts';
import type { BreakglassSessionRow } from './breakglass-schema.ts';
import { breakglassSettings } from './breakglass-settings.ts';
import type { BreakglassDeps } from './deps.ts';
import { activationPending, wrongStatus } from './refusals.ts';
import { sessionDetails, subjectOf } from './session-details.ts';
import { sessionMessage } from './session-view.ts';
import { syncEmergency } from './sync-emergency.ts';

/**
 * A second person opens the requested emergency access; its time starts now. Repeating the call waits for the
 * vault. Throws denied `self_approval`, conflict `wrong_status`, unavailable `activation_pending`.
 */
export function confirmBreakglass(
  deps: BreakglassDeps,
): Handler<typeof breakglass.BreakglassService.confirmBreakglass> {
  return async (request, context) => {
    const id = request.sessionId;
    context.auditSubject = subjectOf(id);
    const { maximumMinutes } = await breakglassSettings(deps, context.tenantId);
    const { row, nowMs } = await deps.database.withTenant(context.tenantId, async (tx) => {
      await requireActiveTenant(tx);
      const { confirmed, isRepeated } = await confirm(tx, context, id, maximumMinutes);
      const details = sessionDetails(confirmed);
      await deps.emitter.audit(tx, context, {
        reason: request.comment,
        details: { ...details, why: confirmed.reason, repeated: isRepeated },
      });
      if (!isRepeated) {
        const { reason } = confirmed;
        await deps.emitter.audit(tx, context, { action: 'breakglass.activated', reason, details });
      }
      return { row: confirmed, nowMs: await presentMs(tx) };
    });
    alert(
      deps.logger,
      { sessionId: id, userId: row.user_id, confirmedById: row.confirmed_by },
      'emergency access is open',
    );
    try {
      return { session: sessionMessage(await syncEmergency(deps, row, context.requestId), nowMs) };
    } catch (cause) {
      throw activationPending(cause);
    }
  };
}

async function confirm(
  tx: Tx<WorkflowSchema>,
  { actor }: CallContext,
  id: string,
  maximumMinutes: number,
): Promise<{ readonly confirmed: BreakglassSessionRow; readonly isRepeated: boolean }> {
  const found = await tx
    .selectFrom('breakglass_sessions')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!found) throw ClavigerError.notFound();
  const theirs = [found.user_id, ...found.user_behind];
  if (peopleBehind(actor).some((id) => theirs.includes(id))) {
    throw new ClavigerError('denied', 'You cannot confirm your own emergency access.', {
      code: 'self_approval',
      hint: 'Ask another person with breakglass.confirm.',
    });
  }
  const isRepeated = found.state === 'active' && found.confirmed_by === actor.userId;
  if (isRepeated && found.sync_wanted === 'place') return { confirmed: found, isRepeated };
  // The policy can have become stricter since the request.
  const minutes = Math.min(found.duration_minutes, maximumMinutes);
  const confirmed = await tx
    .updateTable('breakglass_sessions')
    .set({
      state: 'active',
      confirmed_by: actor.userId,
      confirmed_by_name: actor.userName,
      confirmed_behind: [...(actor.behind ?? [])],
      duration_minutes: minutes,
      ...activatedFor(minutes),
    })
    .where('id', '=', id)
    .where('state', '=', 'awaiting-confirmation')
    .where('confirm_until', '>', sql<Date>`clock_timestamp()`)
    .returningAll()
    .executeTakeFirst();
  if (!confirmed) throw wrongStatus('This emergency access does not await confirmation.');
  return { confirmed, isRepeated: false };
}
