import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import { ClavigerError } from '@claviger/errors';
import { type Handler, peopleBehind } from '@claviger/service-kit';
import { sql } from 'kysely';
import { presentMs } from '../database-clock.ts';
import type { BreakglassDeps } from './deps.ts';
import { expireSessions } from './expire-sessions.ts';
import { wrongStatus } from './refusals.ts';
import { sessionDetails, subjectOf } from './session-details.ts';
import { sessionMessage } from './session-view.ts';

/**
 * Stores the review of an ended session, once. Its user and its confirmer cannot review it: denied
 * `self_approval`.
 */
export function reviewBreakglassSession(
  deps: BreakglassDeps,
): Handler<typeof breakglass.BreakglassService.reviewBreakglassSession> {
  return async (request, context) => {
    const id = request.sessionId;
    context.auditSubject = subjectOf(id);
    const { actor } = context;
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const found = await tx
        .selectFrom('breakglass_sessions')
        .select(['user_id', 'user_behind', 'confirmed_by', 'confirmed_behind'])
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (!found) throw ClavigerError.notFound();
      const involved = [found.user_id, ...found.user_behind, found.confirmed_by, ...found.confirmed_behind];
      if (peopleBehind(actor).some((id) => involved.includes(id))) {
        throw new ClavigerError('denied', 'You cannot review a session that you opened or confirmed.', {
          code: 'self_approval',
          hint: 'Ask another person with breakglass.manage.',
        });
      }
      await expireSessions(deps, tx, (query) => query.where('id', '=', id));
      const row = await tx
        .updateTable('breakglass_sessions')
        .set({
          review: request.review,
          reviewed_by: actor.userId,
          reviewed_by_name: actor.userName,
          reviewed_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
        })
        .where('id', '=', id)
        .where('state', 'in', ['expired', 'deactivated'])
        .where('activated_at', 'is not', null)
        .where('reviewed_at', 'is', null)
        .returningAll()
        .executeTakeFirst();
      if (!row) throw wrongStatus('Only an ended session that was open and has no review can be reviewed.');
      await deps.emitter.audit(tx, context, { reason: request.review, details: sessionDetails(row) });
      return { session: sessionMessage(row, await presentMs(tx)) };
    });
  };
}
