import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { announce } from './announce.ts';
import type { ElevationDeps } from './deps.ts';
import { refusalOf, statusAt } from './elevation-machine.ts';
import { elevationMessage } from './elevation-view.ts';
import { isOwn } from './may-see-elevation.ts';
import { moveElevation } from './move-elevation.ts';
import { readElevation } from './read-elevation.ts';
import { factsOf, subjectOf } from './record-elevation.ts';
import { digestMismatch, executionTimedOut, refusalError } from './refusals.ts';

/** The tool claims its approval directly before it acts: for the approved action, in time, once. */
export function claimToolAction(
  deps: ElevationDeps,
): Handler<typeof elevation.ToolActionsService.claimToolAction> {
  return async (request, context) => {
    const id = request.id;
    context.auditSubject = { type: 'elevation', id };
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const { row, nowMs } = await readElevation(tx, id);
      if (row.flow_type !== 'ai_tool_action' || !isOwn(context.actor, row)) throw ClavigerError.notFound();
      if (row.action_digest !== request.actionDigest.toLowerCase()) throw digestMismatch();
      const refusal = refusalOf('claim', statusAt(row, nowMs));
      if (refusal) throw refusalError(refusal);
      if (row.execution_expires_at!.getTime() <= nowMs) throw executionTimedOut();
      const moved = await moveElevation(tx, id, 'claim');
      if (!moved) throw refusalError('race_lost');
      await deps.emitter.audit(tx, context, { subject: subjectOf(moved), details: factsOf(moved) });
      await announce(deps.emitter, tx, moved, 'claimed');
      return { request: elevationMessage(moved, nowMs, context.actor) };
    });
  };
}
