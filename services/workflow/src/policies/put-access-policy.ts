import { redact } from '@claviger/contracts';
import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { ClavigerError } from '@claviger/errors';
import { type AccessPolicyFields, accessRuleOf, validateRule } from '@claviger/evaluator';
import { type CallContext, type Handler, peopleBehind } from '@claviger/service-kit';
import { sql } from 'kysely';
import { internalCall } from '../internal-call.ts';
import { changeRuleSet } from '../rules/change-rule-set.ts';
import type { Step } from '../schema.ts';
import { parseSteps, policyMessage, policyOf } from './access-policy.ts';
import { approverStatuses } from './approver-statuses.ts';
import { askForLowering, changeOf } from './ask-for-lowering.ts';
import type { PoliciesDeps } from './deps.ts';
import { lowersApproval } from './lowered-approval.ts';

/**
 * Replaces the policy of a resource, which creates the next version of the tenant's rule set. Existing
 * requests keep their policy. Owners of the resource, and owners or sharers of one of its entries, can lower
 * it only with an approval: throws conflict `approval_required` with the new or pending request.
 */
export function putAccessPolicy(
  deps: PoliciesDeps,
): Handler<typeof workflow.AccessPoliciesService.putAccessPolicy> {
  return async (request, context) => {
    const resourceId = request.resourceId;
    context.auditSubject = { type: 'resource', id: resourceId, resourceId };
    const steps = parseSteps(request.steps);
    const { maxDurationMinutes, oneTime, rotateOnEnd, requestTtlMinutes } = request;
    const rule = { steps, maxDurationMinutes, oneTime, rotateOnEnd, requestTtlMinutes };
    const authors = peopleBehind(context.actor);
    refuseUnusable(resourceId, rule);
    const resource = await deps.vault.describeResource({ resourceId }, internalCall(context));
    await refuseUnknownApprovers(deps, context, steps);
    const { userIds: gaining } = await deps.vault.describeBeneficiaries(
      { entryId: '', resourceId, userIds: [...authors] },
      internalCall(context),
    );
    const lowering =
      gaining.length > 0 ? await askForLowering(deps, context, resource, resourceId, rule) : undefined;
    const values = {
      steps: JSON.stringify(steps),
      max_duration_minutes: request.maxDurationMinutes,
      one_time: request.oneTime,
      rotate_on_end: request.rotateOnEnd,
      request_ttl_minutes: request.requestTtlMinutes,
      updated_by: context.actor.userId,
    };
    const expected = request.rowVersion;
    const policy = await deps.database.withTenant(context.tenantId, async (tx) => {
      const before = await tx
        .selectFrom('access_policies')
        .selectAll()
        .where('resource_id', '=', resourceId)
        .forUpdate()
        .executeTakeFirst();
      const lowers = before && gaining.length > 0 && lowersApproval(before.steps, steps);
      if (lowers && lowering?.digest !== changeOf(resourceId, policyOf(before), rule).digest)
        throw changedMeanwhile();
      const row = await tx
        .insertInto('access_policies')
        .values({ ...values, tenant_id: context.tenantId, resource_id: resourceId })
        .onConflict((conflict) => {
          const update = conflict.columns(['tenant_id', 'resource_id']).doUpdateSet({
            ...values,
            updated_at: sql<Date>`now()`,
            row_version: sql<number>`access_policies.row_version + 1`,
          });
          return expected === undefined ? update : update.where('access_policies.row_version', '=', expected);
        })
        .returningAll()
        .executeTakeFirst();
      // The unchanged default has version 0.
      if (!row || (expected !== undefined && row.row_version !== expected + 1)) {
        throw changedMeanwhile();
      }
      const version = await changeRuleSet(tx, context.tenantId, [
        {
          kind: 'access',
          objectId: resourceId,
          body: accessRuleOf(resourceId, rule, authors),
          people: { [context.actor.userId]: context.actor.userName },
        },
      ]);
      const said = redact(context.method.request, request);
      await deps.emitter.audit(tx, context, {
        details: {
          ...said,
          ruleSetVersion: `${version}`,
          ...(lowers ? { approvedBy: lowering?.requestId } : {}),
        },
      });
      return policyOf(row);
    });
    return { policy: policyMessage(resourceId, policy) };
  };
}

function changedMeanwhile(): ClavigerError {
  return new ClavigerError('precondition_failed', 'The policy has changed since you read it.', {
    hint: 'Read it again, then repeat your change with its rowVersion.',
  });
}

/** A rule that the evaluator cannot read would stop all decisions of the rule set, so it is refused. */
function refuseUnusable(resourceId: string, policy: AccessPolicyFields): void {
  const { id: _id, authorIds: _authorIds, ...fields } = accessRuleOf(resourceId, policy);
  const [problem] = validateRule(fields);
  if (problem) throw ClavigerError.invalid(problem.pointer.replace(/^\/access/, ''), problem.detail);
}

/** A step with an approver who cannot decide may never be passed. Users of other tenants are unknown. */
async function refuseUnknownApprovers(
  deps: PoliciesDeps,
  context: CallContext,
  steps: readonly Step[],
): Promise<void> {
  const statuses = await approverStatuses(deps, context, steps);
  steps.forEach((step, index) => {
    const position = step.approverUserIds.findIndex((id) => statuses.get(id) !== 'active');
    if (position < 0) return;
    const status = statuses.get(step.approverUserIds[position]!);
    throw ClavigerError.invalid(
      `/steps/${index}/approverUserIds/${position}`,
      status === 'disabled' ? 'is a disabled user' : 'is not the id of a user',
    );
  });
}
