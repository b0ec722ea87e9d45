import { ClavigerError } from '@claviger/errors';
import type { AccessFacts, ApprovalStep } from '@claviger/evaluator';
import { type AccessTerms, findPolicyAt } from '../policies/policy-store.ts';
import type { Decided } from '../rules/decider.ts';
import type { RequestsDeps } from './deps.ts';
import { nobodyCanApprove } from './refuse-unpassable.ts';

export interface AskedAccess {
  readonly tenantId: string;
  readonly requesterId: string;
  /** Null for an entry without a resource. */
  readonly resourceId: string | null;
  readonly durationMinutes: number;
  readonly reason: string;
  /** The maximum of the tenant's settings. */
  readonly maximumMinutes: number;
}

/**
 * Decides a request for access by the rules: the required approvals, the terms, and the decision to store.
 * Throws the refusals of the policy: `invalid` naming the field, conflict `nobody_can_approve`. If the
 * evaluator fails, the approvers of the policy decide; if the policy cannot be read either, throws
 * `unavailable`. It never approves.
 */
export async function decideAccess(
  deps: RequestsDeps,
  asked: AskedAccess,
): Promise<{ readonly decided: Decided; readonly terms: AccessTerms }> {
  const { tenantId, resourceId, requesterId, durationMinutes, reason, maximumMinutes } = asked;
  const snapshot = await deps.decider.snapshot(tenantId);
  const facts: AccessFacts = {
    kind: 'access',
    at: new Date(snapshot.nowMs).toISOString(),
    subjectUserId: requesterId,
    resourceId,
    durationMinutes,
    reason,
  };
  const decided = await deps.decider.decide(tenantId, facts, snapshot);
  const { evaluation } = decided;
  const given = evaluation.verdict === 'needs_approval' ? evaluation.access : null;
  // A refusal reports the policy of its own version; without a deciding rule, the current policy applies.
  const policy = evaluation.verdict === 'denied' ? snapshot.version : undefined;
  const terms =
    given ?? (await deps.database.readTenant(tenantId, (tx) => findPolicyAt(tx, resourceId, policy)));
  if (evaluation.verdict === 'denied') throw refusalOf(decided, terms, asked);
  // The limits of the policy also apply without the evaluator.
  if (durationMinutes > Math.min(terms.maxDurationMinutes, maximumMinutes)) throw tooLong(terms, asked);
  return { decided, terms };
}

function refusalOf({ evaluation }: Decided, terms: AccessTerms, asked: AskedAccess): ClavigerError {
  switch (evaluation.because) {
    case 'too_long':
      return tooLong(terms, asked);
    case 'reason_required':
      return ClavigerError.invalid('/reason', 'is required for this resource');
    case 'nobody_can_approve':
      return nobodyCanApprove(terms.steps.find((step) => isUnpassable(step, asked.requesterId))?.name ?? '');
    default:
      return new ClavigerError('denied', 'The access policy of the resource refuses this.');
  }
}

function isUnpassable(
  { approverRoles, approverUserIds, quorum }: ApprovalStep,
  requesterId: string,
): boolean {
  if (approverRoles.length > 0 || approverUserIds.length === 0) return false;
  return approverUserIds.filter((id) => id !== requesterId).length < quorum;
}

function tooLong({ maxDurationMinutes }: AccessTerms, { maximumMinutes }: AskedAccess): ClavigerError {
  const maximum = Math.min(maxDurationMinutes, maximumMinutes);
  return ClavigerError.invalid('/durationMinutes', `may be at most ${maximum} for this resource`);
}
