import { covers } from './covers.ts';
import { globParts } from './glob.ts';
import type { Finding } from './lint.ts';
import { canonicalGlob } from './path-glob.ts';
import { given } from './rule.ts';
import type { CompiledRule, RuleSet } from './rule-set.ts';
import { foldCase } from './windows-path.ts';

const TIERS = [0, 1, 2, 3, 4];

/** Rules that are never reached, because earlier ones take all that they would match. Quick for thousands of rules. */
export function lintOrder(ruleSet: RuleSet): Finding[] {
  const findings: Finding[] = [];
  const earlier = new Shelf();
  for (const rule of [...ruleSet.orderedSoftware, ...ruleSet.ordered]) {
    const finding = judge(rule, earlier);
    if (finding) findings.push(finding);
    earlier.add(rule);
  }
  return findings;
}

function judge(rule: CompiledRule, earlier: Shelf): Finding | undefined {
  const candidates = earlier.candidates(rule);
  const cover = candidates.find((other) => covers(other, rule));
  const { id: ruleId, name, verdict } = rule.rule;
  if (cover) {
    const same = cover.rule.verdict === verdict;
    return {
      code: same ? 'redundant' : 'shadowed',
      severity: same ? 'note' : 'error',
      ruleId,
      otherRuleIds: [cover.rule.id],
      message: same
        ? `“${name}” never decides: “${cover.rule.name}” takes all of it first, with the same verdict.`
        : `“${name}” never decides: “${cover.rule.name}” takes all of it first and says ${cover.rule.verdict}.`,
    };
  }
  const otherRuleIds = byAllTiers(rule, candidates);
  if (!otherRuleIds) return undefined;
  return {
    code: 'unreachable',
    severity: 'error',
    ruleId,
    otherRuleIds,
    message: `“${name}” never decides: rules for every risk tier together take all of it first.`,
  };
}

/** A rule for a tool of any tier is never reached when each tier by itself is taken before. */
function byAllTiers(rule: CompiledRule, candidates: readonly CompiledRule[]): string[] | undefined {
  if (rule.shape !== 'tool' || given(rule.criteria.matchRiskTier)) return undefined;
  const takers = TIERS.map((tier) => {
    const only: CompiledRule = { ...rule, criteria: { ...rule.criteria, matchRiskTier: tier } };
    return candidates.find((other) => covers(other, only));
  });
  return takers.every((taker) => taker !== undefined) ? takers.map((taker) => taker!.rule.id) : undefined;
}

/** The rules so far, by the strictest thing each asks for: one that covers another asks for the same, or for less. */
class Shelf {
  readonly #byKey = new Map<string, CompiledRule[]>();

  add(rule: CompiledRule): void {
    const key = keysOf(rule)[0] ?? foldersOf(rule).at(-1) ?? 'rest';
    const list = this.#byKey.get(key);
    if (list) list.push(rule);
    else this.#byKey.set(key, [rule]);
  }

  candidates(rule: CompiledRule): CompiledRule[] {
    const keys = [...keysOf(rule), ...foldersOf(rule), 'rest', 'tier'];
    return keys
      .flatMap((key) => this.#byKey.get(key) ?? [])
      .sort((a, b) => stageOf(a) - stageOf(b) || a.order - b.order);
  }
}

function stageOf(rule: CompiledRule): number {
  return rule.stage === 'software_policy' ? 0 : 1;
}

/** What a rule can be found under, the strictest first. A rule that covers it has one of these first, or none. */
function keysOf({ criteria }: CompiledRule): string[] {
  const keys: string[] = [];
  const { matchHash, matchToolName, matchResourceId, matchSigner, matchUser, matchAdGroup, siteId } =
    criteria;
  if (given(matchHash)) keys.push(`hash ${matchHash.toLowerCase()}`);
  if (given(matchToolName)) keys.push(`tool ${matchToolName}`);
  if (given(matchResourceId) && matchResourceId !== '*')
    keys.push(`resource ${matchResourceId.toLowerCase()}`);
  if (given(matchSigner)) keys.push(`signer ${matchSigner}`);
  if (given(matchUser)) keys.push(`user ${foldCase(matchUser)}`);
  if (given(matchAdGroup)) keys.push(`group ${foldCase(matchAdGroup)}`);
  if (given(siteId)) keys.push(`site ${siteId.toLowerCase()}`);
  if (given(criteria.matchRiskTier)) keys.push('tier');
  return keys;
}

/** The folders that a pattern begins with. A pattern that covers it begins with one of them, or with none. */
function foldersOf({ criteria }: CompiledRule): string[] {
  if (!given(criteria.matchPathGlob)) return [];
  const { prefix } = globParts(canonicalGlob(criteria.matchPathGlob));
  const folders: string[] = [];
  for (let at = prefix.indexOf('\\'); at >= 0; at = prefix.indexOf('\\', at + 1))
    folders.push(`folder ${prefix.slice(0, at + 1)}`);
  return folders;
}
