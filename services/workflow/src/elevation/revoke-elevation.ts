import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { Handler } from '@claviger/service-kit';
import { announce } from './announce.ts';
import type { ElevationDeps } from './deps.ts';
import { refusalOf, statusAt } from './elevation-machine.ts';
import { moveElevation, present } from './move-elevation.ts';
import { takeBack } from './queue-command.ts';
import { readElevation } from './read-elevation.ts';
import { factsOf, subjectOf } from './record-elevation.ts';
import { refusalError, requireSite } from './refusals.ts';

/**
 * Ends an elevation before its time. A device that has received the go signal receives a command to undo it.
 */
export function revokeElevation(
  deps: ElevationDeps,
): Handler<typeof elevation.ElevationRequestsService.revokeElevation> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const id = request.id;
    context.auditSubject = { type: 'elevation', id };
    const revoked = await deps.database.withTenant(tenantId, async (tx) => {
      const { row, nowMs } = await readElevation(tx, id);
      context.auditSubject = subjectOf(row);
      requireSite(actor, row.site_id);
      const refusal = refusalOf('revoke', statusAt(row, nowMs));
      if (refusal) throw refusalError(refusal);
      const moved = await moveElevation(tx, id, 'revoke', {
        revoked_by: actor.userId,
        revoked_by_name: actor.userName,
        decision_reason: request.reason,
        ended_at: present,
      });
      if (!moved) throw refusalError('race_lost');
      const commandId = await takeBack(tx, moved);
      await deps.emitter.audit(tx, context, {
        reason: request.reason,
        details: { ...factsOf(moved), ...(commandId ? { commandId } : {}) },
      });
      await announce(deps.emitter, tx, moved, 'revoked');
      return moved;
    });
    return { success: true, id, status: revoked.status };
  };
}
