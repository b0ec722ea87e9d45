import type { Because } from './evaluation.ts';
import { type PreparedFacts, Unresolved } from './prepared-facts.ts';
import type { Rule } from './rule.ts';

type People = Pick<PreparedFacts, 'subjectUserId' | 'otherUserIds' | 'deviceUserIds'>;

/**
 * Why a rule or list entry needs a co-signer to approve this request. Undefined if it needs none, or if a
 * user has co-signed it who neither wrote a part of it nor benefits from it. No other code decides this.
 */
export function whyCoSigner(
  rule: Pick<Rule, 'authorIds' | 'coSignerIds'>,
  people: People,
): Because | undefined {
  const { subjectUserId, otherUserIds, deviceUserIds } = people;
  const authors = rule.authorIds.map((id) => id.toLowerCase());
  const gaining = [...otherUserIds, ...(deviceUserIds ?? [])];
  if (typeof subjectUserId === 'string') gaining.push(subjectUserId);
  const coSigners = (rule.coSignerIds ?? []).map((id) => id.toLowerCase());
  if (coSigners.some((id) => !authors.includes(id) && !gaining.includes(id))) return undefined;
  // Anyone can create a local account, so its name does not prove that its user is not an author of the rule.
  if (subjectUserId === null) return 'unowned_name';
  if (authors.length === 0) return undefined;
  if (subjectUserId instanceof Unresolved) return 'not_known';
  if ([subjectUserId, ...otherUserIds].some((id) => authors.includes(id))) return 'own_rule';
  if (deviceUserIds === null) return 'not_known';
  return deviceUserIds.some((id) => authors.includes(id)) ? 'own_device' : undefined;
}
