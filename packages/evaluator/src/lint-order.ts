import { covers } from './covers.ts';
import type { Finding } from './finding.ts';
import { globParts, type StepCount } from './glob.ts';
import { canonicalGlob } from './path-glob.ts';
import { given } from './rule.ts';
import type { CompiledRule, RuleSet } from './rule-set.ts';
import { foldCase } from './windows-path.ts';

const TIERS = [0, 1, 2, 3, 4];

/** Limit of comparisons in one run; comparing two patterns counts by its steps. */
const MAX_EFFORT = 50_000_000;

/**
 * Finds rules that are never reached, because earlier rules match all their requests. If thousands of rules
 * have the same criteria, comparing all of them would take minutes: it then stops early and reports this.
 */
export function lintOrder(ruleSet: RuleSet, maxEffort = MAX_EFFORT): Finding[] {
  const findings: Finding[] = [];
  const earlier = new Shelf();
  const rules = [...ruleSet.orderedSoftware, ...ruleSet.ordered];
  for (const [position, rule] of rules.entries()) {
    const finding = judge(rule, earlier);
    if (finding) findings.push(finding);
    if (earlier.effort.steps > maxEffort) {
      findings.push({
        code: 'not_all_examined',
        severity: 'note',
        ruleId: null,
        message: `The comparison would take too long: the last ${rules.length - position} rules were not compared with the rules before them.`,
      });
      break;
    }
    earlier.add(rule);
  }
  return findings;
}

function judge(rule: CompiledRule, earlier: Shelf): Finding | undefined {
  const cover = earlier.firstCovering(rule);
  const { id: ruleId, name, verdict } = rule.rule;
  if (cover) {
    const same = cover.rule.verdict === verdict;
    return {
      code: same ? 'redundant' : 'shadowed',
      severity: same ? 'note' : 'error',
      ruleId,
      otherRuleIds: [cover.rule.id],
      message: same
        ? `“${name}” never decides: “${cover.rule.name}” comes first and decides all its requests, with the same verdict.`
        : `“${name}” never decides: “${cover.rule.name}” comes first and decides all its requests, with the verdict ${cover.rule.verdict}.`,
    };
  }
  const otherRuleIds = byAllTiers(rule, earlier);
  if (!otherRuleIds) return undefined;
  return {
    code: 'unreachable',
    severity: 'error',
    ruleId,
    otherRuleIds,
    message: `“${name}” never decides: earlier rules for the single risk tiers decide all its requests.`,
  };
}

/** A rule for tools of any tier is never reached if earlier rules match each single tier. */
function byAllTiers(rule: CompiledRule, earlier: Shelf): string[] | undefined {
  if (rule.shape !== 'tool' || given(rule.criteria.matchRiskTier)) return undefined;
  const takers: string[] = [];
  for (const tier of TIERS) {
    const only: CompiledRule = { ...rule, criteria: { ...rule.criteria, matchRiskTier: tier } };
    const taker = earlier.firstCovering(only);
    if (!taker) return undefined;
    takers.push(taker.rule.id);
  }
  return takers;
}

interface Shelved {
  readonly place: number;
  readonly rule: CompiledRule;
}

/**
 * The earlier rules by their strictest criterion. A rule that covers another one has the same criterion or a
 * weaker one.
 */
class Shelf {
  readonly #byKey = new Map<string, Shelved[]>();
  #size = 0;
  readonly effort: StepCount = { steps: 0 };

  /** In evaluation order. */
  add(rule: CompiledRule): void {
    const key = keysOf(rule)[0] ?? foldersOf(rule).at(-1) ?? 'rest';
    const shelved = { place: this.#size++, rule };
    const list = this.#byKey.get(key);
    if (list) list.push(shelved);
    else this.#byKey.set(key, [shelved]);
  }

  firstCovering(rule: CompiledRule): CompiledRule | undefined {
    let first: Shelved | undefined;
    for (const key of new Set([...keysOf(rule), ...foldersOf(rule), 'rest', 'tier'])) {
      for (const other of this.#byKey.get(key) ?? []) {
        if (first && other.place > first.place) break;
        this.effort.steps++;
        if (!covers(other.rule, rule, this.effort)) continue;
        first = other;
        break;
      }
    }
    return first?.rule;
  }
}

/**
 * The keys of a rule, the strictest first. A rule that covers it has one of them as its first key, or none.
 */
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

/** The folders at the start of a pattern. A pattern that covers it starts with one of them, or with none. */
function foldersOf({ criteria }: CompiledRule): string[] {
  if (!given(criteria.matchPathGlob)) return [];
  const { prefix } = globParts(canonicalGlob(criteria.matchPathGlob));
  const folders: string[] = [];
  for (let at = prefix.indexOf('\\'); at >= 0; at = prefix.indexOf('\\', at + 1))
    folders.push(`folder ${prefix.slice(0, at + 1)}`);
  return folders;
}
