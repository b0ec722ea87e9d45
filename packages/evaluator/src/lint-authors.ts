import type { Finding } from './finding.ts';
import { given, type Rule } from './rule.ts';
import type { CompiledRule, RuleSet } from './rule-set.ts';
import { foldCase } from './windows-path.ts';

/** Facts about a person whom a rule may concern. */
export interface KnownUser {
  readonly userId: string;
  /** The person's name on devices and in directories; null: any. */
  readonly usernames: readonly string[] | null;
  /** Null: any. */
  readonly groups: readonly string[] | null;
  /** Sites of the devices that the person uses; null: any. */
  readonly siteIds: readonly string[] | null;
}

/**
 * Finds rules that approve their authors. The evaluator leaves such requests pending; this reports them in
 * advance.
 */
export function lintAuthors(ruleSet: RuleSet, users: readonly KnownUser[] = []): Finding[] {
  const known = new Map(users.map((user) => [user.userId.toLowerCase(), user]));
  const findings: Finding[] = [];
  for (const compiled of [...ruleSet.orderedSoftware, ...ruleSet.ordered]) {
    const { rule } = compiled;
    if (rule.verdict !== 'auto_approve') continue;
    const userIds = rule.authorIds.filter(
      (id) => !coSigned(rule, id) && maySatisfy(compiled, known.get(id.toLowerCase())),
    );
    if (userIds.length > 0) {
      findings.push({
        code: 'author_benefits',
        severity: 'warning',
        ruleId: rule.id,
        userIds,
        message: `“${rule.name}” could approve its authors. Such requests wait for a person until another person co-signs the rule.`,
      });
    }
    if (compiled.stage === 'rules' && compiled.shape === 'any') {
      findings.push({
        code: 'approves_everything',
        severity: 'warning',
        ruleId: rule.id,
        message: `“${rule.name}” approves every prompt and every tool action of the users that it names.`,
      });
    }
  }
  return findings;
}

/** As in the evaluator: co-signed by a user who neither wrote the rule nor gains from it. */
function coSigned(rule: Rule, author: string): boolean {
  const authors = rule.authorIds.map((id) => id.toLowerCase());
  const others = (rule.coSignerIds ?? []).map((id) => id.toLowerCase());
  return others.some((id) => !authors.includes(id) && id !== author.toLowerCase());
}

/**
 * Whether user, groups and sites match the author; facts that the author can bring about count as matching.
 */
function maySatisfy({ criteria }: CompiledRule, user: KnownUser | undefined): boolean {
  if (!user) return true;
  const { matchUser, matchAdGroup, siteId } = criteria;
  const isIn = (names: readonly string[] | null, name: string): boolean =>
    names === null || names.some((each) => foldCase(each) === foldCase(name));
  return (
    (!given(matchUser) || isIn(user.usernames, matchUser)) &&
    (!given(matchAdGroup) || isIn(user.groups, matchAdGroup)) &&
    (!given(siteId) || isIn(user.siteIds, siteId))
  );
}
