import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { CallContext, Handler } from '@claviger/service-kit';
import { askedElevation } from '../asked/asked-elevation.ts';
import { beyondAsked } from '../asked/beyond-asked.ts';
import { announce } from './announce.ts';
import type { ElevationDeps } from './deps.ts';
import { refusalOf, statusAt } from './elevation-machine.ts';
import type { ElevationRow } from './elevation-schema.ts';
import { refuseOwn, refuseOwnDevice } from './may-decide.ts';
import { approvedUntil, moveElevation, present } from './move-elevation.ts';
import { readElevation } from './read-elevation.ts';
import { factsOf, subjectOf } from './record-elevation.ts';
import { digestMismatch, executionTimedOut, longerThanAsked, refusalError, requireSite } from './refusals.ts';
import { resolveSubject, type Subject } from './resolve-subject.ts';

/** Stores the decision of one person on a waiting request. The first decision is final. */
export function respondToElevation(
  deps: ElevationDeps,
): Handler<typeof elevation.ElevationRequestsService.respondToElevation> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const id = request.id;
    context.auditSubject = { type: 'elevation', id };
    const { row, nowMs } = await deps.database.readTenant(tenantId, (reader) => readElevation(reader, id));
    context.auditSubject = subjectOf(row);
    requireSite(actor, row.site_id);
    refuseOwn(actor, row);
    const move = request.decision === 'approve' ? 'approve' : 'deny';
    const refusal = refusalOf(move, statusAt(row, nowMs));
    if (refusal) throw refusalError(refusal);
    if (row.execution_expires_at && row.execution_expires_at.getTime() <= nowMs) throw executionTimedOut();
    if (request.actionDigest && request.actionDigest.toLowerCase() !== row.action_digest)
      throw digestMismatch();
    const { named, ...subject } = await subjectNow(deps, context, row);
    refuseOwn(actor, { ...row, ...subject });
    const { elevation: terms } = (await deps.settings.read(tenantId)).values;
    const asked = askedElevation(row, terms.defaultApprovalMinutes);
    const given = { ...asked, minutes: request.durationMinutes ?? null };
    if (given.minutes !== null && beyondAsked(asked, given)) throw longerThanAsked(asked.minutes!);
    const minutes = given.minutes ?? asked.minutes ?? terms.defaultApprovalMinutes;
    const decided = await deps.database.withTenant(tenantId, async (tx) => {
      if (named) await refuseOwnDevice(tx, actor, row, named);
      const moved = await moveElevation(tx, id, move, {
        ...subject,
        decided_at: present,
        decision_source: 'human',
        decision_reason: request.reason || null,
        ...(move === 'approve'
          ? {
              approved_by: actor.userId,
              approved_by_name: actor.userName,
              expires_at: approvedUntil(minutes, row.execution_expires_at),
            }
          : { denied_by: actor.userId, denied_by_name: actor.userName, expires_at: null, ended_at: present }),
      });
      if (!moved) throw refusalError('race_lost');
      await deps.emitter.audit(tx, context, {
        reason: request.reason,
        details: { ...factsOf(moved), ...(move === 'approve' ? { durationMinutes: minutes } : {}) },
      });
      await announce(deps.emitter, tx, moved, move === 'approve' ? 'approved' : 'denied');
      return moved;
    });
    return { success: true, id, status: decided.status };
  };
}

type People = Pick<ElevationRow, 'subject_user_id' | 'possible_user_ids'>;

/**
 * Resolves the name of a prompt and the enroller of its device again at the decision, so that a user who was
 * linked to the name since does not decide their own request. `named`: the answer of auth for a prompt.
 * Throws when auth does not answer.
 */
async function subjectNow(
  deps: ElevationDeps,
  context: CallContext,
  row: ElevationRow,
): Promise<People & { readonly named?: Subject }> {
  const known = { subject_user_id: row.subject_user_id, possible_user_ids: row.possible_user_ids };
  if (row.flow_type !== 'uac_intercept') return known;
  const named = await resolveSubject(deps, context, row.subject_username ?? '', row.device_id!);
  if (row.subject_user_id !== null) return { ...known, named };
  return {
    subject_user_id: named.userId ?? null,
    possible_user_ids: [...new Set([...row.possible_user_ids, ...named.possibleUserIds])],
    named,
  };
}
