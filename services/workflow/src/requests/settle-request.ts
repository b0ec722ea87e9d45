import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import { createGrant } from '../grants/create-grant.ts';
import type { GrantRow } from '../schema.ts';
import { benefitsFrom } from './beneficiaries.ts';
import type { RequestsDeps } from './deps.ts';
import { refusalError } from './refusals.ts';
import { decide } from './request-machine.ts';
import { lockRequest } from './request-store.ts';
import { requestMessage } from './request-view.ts';

export interface Settlement {
  readonly requestId: string;
  readonly decision: 'approve' | 'deny';
  readonly comment: string;
  readonly digest: string;
  readonly durationMinutes: number | undefined;
}

/**
 * Stores one decision of one person in one transaction under the lock of the request's row: the decision, the
 * request's new state, the audit event and, with the last missing approval, the grant. Returns the grant,
 * too.
 */
export async function settleRequest(
  deps: RequestsDeps,
  context: CallContext,
  settlement: Settlement,
): Promise<{ request: workflow.AccessRequest; newGrant: GrantRow | undefined }> {
  const { actor, tenantId } = context;
  const id = settlement.requestId;
  context.auditSubject = { type: 'request', id };
  const benefits = await benefitsFrom(deps, context, id);
  const { maximumGrantMinutes } = (await deps.settings.read(tenantId)).values.access;
  return deps.database.withTenant(tenantId, async (tx) => {
    const { row, state, nowMs } = await lockRequest(tx, id);
    context.auditSubject = {
      type: 'request',
      id,
      ...(row.resource_id ? { resourceId: row.resource_id } : {}),
    };
    const outcome = decide(state, { ...settlement, by: { ...actor, benefits } }, nowMs);
    if (outcome.kind === 'refused') throw refusalError(outcome.refusal);
    const next = outcome.state;
    if (settlement.decision === 'approve' && (next.approvedDurationMinutes ?? 0) > maximumGrantMinutes) {
      throw ClavigerError.invalid(
        '/durationMinutes',
        `may be at most ${maximumGrantMinutes} by the setting access.maximumGrantMinutes: approve for less`,
      );
    }
    const settled = next.status !== 'pending';
    const now = sql<Date>`date_trunc('milliseconds', clock_timestamp())`;
    await tx
      .insertInto('decisions')
      .values({
        tenant_id: tenantId,
        request_id: id,
        step: state.openStep,
        user_id: actor.userId,
        user_name: actor.userName,
        user_behind: [...(actor.behind ?? [])],
        decision: settlement.decision,
        comment: settlement.comment,
        duration_minutes: settlement.durationMinutes ?? null,
        decided_at: now,
      })
      .execute();
    const updated = await tx
      .updateTable('requests')
      .set({
        status: next.status,
        open_step: next.openStep,
        approved_duration_minutes: next.approvedDurationMinutes ?? null,
        ...(settled ? { decided_at: now } : {}),
      })
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .returningAll()
      .executeTakeFirstOrThrow();
    const grants = next.status === 'approved' && row.kind === 'access';
    const newGrant = grants ? await createGrant(deps, tx, context, updated) : undefined;
    await deps.emitter.audit(tx, context, {
      reason: settlement.comment,
      details: {
        requesterId: row.requester_id,
        entryId: row.entry_id,
        digest: row.digest,
        step: state.openStep,
        status: next.status,
        ...(settlement.decision === 'approve' ? { durationMinutes: next.approvedDurationMinutes } : {}),
        ...(newGrant ? { grantId: newGrant.id } : {}),
        ...(row.change ? { kind: row.kind, change: row.change } : {}),
      },
    });
    return { request: await requestMessage(tx, updated, nowMs), newGrant };
  });
}
