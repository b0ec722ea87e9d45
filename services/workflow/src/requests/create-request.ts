import { randomUUID } from 'node:crypto';
import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireActiveAccount } from '../accounts/require-active-account.ts';
import { expireRequests } from '../duties/expire-requests.ts';
import { internalCall } from '../internal-call.ts';
import { recordEvaluation } from '../rules/record-evaluation.ts';
import { decideAccess } from './decide-access.ts';
import type { RequestsDeps } from './deps.ts';
import { refuseUnpassable } from './refuse-unpassable.ts';
import { requestDigest } from './request-digest.ts';
import { requestMessage } from './request-view.ts';

/**
 * Creates a request for access. The terms that the rules give are copied into the request, so that later
 * changes do not affect it. The decision and its facts are stored in the same transaction.
 */
export function createRequest(deps: RequestsDeps): Handler<typeof workflow.RequestsService.createRequest> {
  return async (request, context) => {
    const subject = await deps.vault.describeSubject(
      {
        entryId: request.entryId,
        resourceId: request.resourceId,
      },
      internalCall(context),
    );
    const { tenantId, actor } = context;
    const id = randomUUID();
    const resourceId = subject.resourceId || null;
    context.auditSubject = { type: 'request', id, ...(resourceId ? { resourceId } : {}) };
    const digest = requestDigest({
      kind: 'access',
      tenantId,
      requesterId: actor.userId,
      entryId: subject.entryId,
      resourceId: subject.resourceId,
      reason: request.reason,
      ticket: request.ticket,
      durationMinutes: request.durationMinutes,
    });
    const { maximumGrantMinutes } = (await deps.settings.read(tenantId)).values.access;
    const { decided, terms } = await decideAccess(deps, {
      tenantId,
      requesterId: actor.userId,
      resourceId,
      durationMinutes: request.durationMinutes,
      reason: request.reason,
      maximumMinutes: maximumGrantMinutes,
    });
    await refuseUnpassable(deps, context, terms.steps);
    const created = await deps.database.withTenant(tenantId, async (tx) => {
      await requireActiveAccount(tx, actor.userId);
      // An expired request that no sweep has processed yet must not block a new one.
      await expireRequests(deps, tx, (query) =>
        query.where('requester_id', '=', actor.userId).where('entry_id', '=', subject.entryId),
      );
      const row = await tx
        .insertInto('requests')
        .values({
          tenant_id: tenantId,
          id,
          kind: 'access',
          requester_id: actor.userId,
          requester_name: actor.userName,
          requester_behind: [...(actor.behind ?? [])],
          entry_id: subject.entryId,
          entry_name: subject.entryName,
          resource_id: resourceId,
          resource_name: subject.resourceName,
          module_type: subject.moduleType,
          reason: request.reason,
          ticket: request.ticket,
          duration_minutes: request.durationMinutes,
          digest,
          steps: JSON.stringify(terms.steps),
          one_time: terms.oneTime,
          rotate_on_end: terms.rotateOnEnd,
          created_at: sql<Date>`date_trunc('milliseconds', now())`,
          expires_at: sql<Date>`date_trunc('milliseconds', now()) + make_interval(mins => ${terms.requestTtlMinutes})`,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant_id', 'requester_id', 'entry_id', 'digest'])
            // A literal: a parameter would not match the partial index in a generic plan.
            .where(sql<boolean>`status = 'pending'`)
            .doNothing(),
        )
        .returningAll()
        .executeTakeFirst();
      if (!row) {
        throw new ClavigerError('conflict', 'You have a pending request for the same access.', {
          code: 'already_pending',
          hint: 'Wait for its decision, or cancel it first.',
        });
      }
      await recordEvaluation(tx, {
        tenantId,
        requestId: id,
        label: `${actor.userName} for ${subject.resourceName || subject.entryName}`,
        decided,
      });
      await deps.emitter.audit(tx, context, {
        reason: request.reason,
        details: {
          entryId: subject.entryId,
          entryName: subject.entryName,
          resourceName: subject.resourceName,
          durationMinutes: request.durationMinutes,
          ticket: request.ticket,
          digest,
        },
      });
      return requestMessage(tx, row, row.created_at.getTime());
    });
    return { request: created };
  };
}
