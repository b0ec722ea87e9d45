import type { Facts } from '@claviger/evaluator';
import type { Decided, Decider } from '../rules/decider.ts';

/**
 * Decides for everybody who would gain: a rule approves by itself only where it does so whoever of them is taken for its
 * beneficiary, so that nobody gains from a rule of their own through a machine or through somebody else's name.
 */
export async function decideForAll(
  decider: Decider,
  tenantId: string,
  facts: Facts,
  people: readonly string[],
): Promise<Decided> {
  const decided = await decider.decide(tenantId, facts);
  if (decided.evaluation.verdict !== 'auto_approved') return decided;
  for (const subjectUserId of new Set(people)) {
    if (subjectUserId === facts.subjectUserId) continue;
    const other = await decider.decide(tenantId, { ...facts, subjectUserId });
    if (other.evaluation.verdict !== 'auto_approved') return other;
  }
  return decided;
}
