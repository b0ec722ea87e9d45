import type { Because } from './evaluation.ts';
import { type PreparedFacts, Unresolved } from './prepared-facts.ts';
import type { Rule } from './rule.ts';

type People = Pick<PreparedFacts, 'subjectUserId' | 'otherUserIds' | 'deviceUserIds'>;

/**
 * Why a rule must not approve this by itself: the one place that says so, for rules and lists of known
 * software. Undefined where it may, or where somebody has co-signed it who neither wrote a part of it nor
 * gains from it.
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
  // Anybody can make a local account: its name says of nobody that they did not write the rule.
  if (subjectUserId === null) return 'unowned_name';
  if (authors.length === 0) return undefined;
  if (subjectUserId instanceof Unresolved) return 'not_known';
  if ([subjectUserId, ...otherUserIds].some((id) => authors.includes(id))) return 'own_rule';
  if (deviceUserIds === null) return 'not_known';
  return deviceUserIds.some((id) => authors.includes(id)) ? 'own_device' : undefined;
}
