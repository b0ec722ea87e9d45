import { parentOf } from './criteria.ts';
import type { FactName, Facts } from './facts.ts';
import type { Glob } from './glob.ts';
import { compilePathGlob } from './path-glob.ts';
import { given } from './rule.ts';
import { appliesTo, type CompiledRule, type RuleSet } from './rule-set.ts';
import { compileWindow } from './time-window.ts';
import { canonicalWindowsPath, foldCase } from './windows-path.ts';

export interface Candidate {
  readonly fact: FactName;
  readonly value: unknown;
}

/** How many days ahead window changes are searched. */
const WINDOW_DAYS = 8;
const NOBODY = '00000000-0000-4000-8000-ffffffffffff';
const NO_HASH = '0'.repeat(64);
const NO_PATH = 'C:\\Elsewhere\\other.exe';

/**
 * Lists alternative values of single facts that could change the verdict: for each criterion of each rule
 * that applies to this kind of request, one value that satisfies it and one that does not. Rules in
 * evaluation order.
 */
export function* candidateFacts(
  ruleSet: RuleSet,
  facts: Facts,
  mayName: (ruleId: string) => boolean,
): Generator<Candidate> {
  const seen = new Set<string>();
  const fresh = (candidate: Candidate): boolean => {
    const key = `${candidate.fact} ${JSON.stringify(candidate.value)}`;
    if (seen.has(key) || same(facts, candidate)) return false;
    seen.add(key);
    return true;
  };
  const prompt = facts.kind === 'elevation' && facts.flowType === 'uac_intercept';
  const rules = ruleSet.ordered.filter((rule) => appliesTo(rule, facts.kind));
  for (const rule of prompt ? [...ruleSet.orderedSoftware, ...rules] : rules) {
    if (!mayName(rule.rule.id)) continue;
    for (const candidate of ofRule(rule, facts)) if (fresh(candidate)) yield candidate;
  }
}

function* ofRule({ criteria, rule }: CompiledRule, facts: Facts): Generator<Candidate> {
  yield* ofPeople(criteria, facts);
  if (facts.kind === 'elevation' && facts.flowType === 'uac_intercept') yield* ofProgram(criteria);
  if (facts.kind === 'tool') {
    if (given(criteria.matchToolName)) yield* both('toolName', criteria.matchToolName, 'another tool');
    if (given(criteria.matchRiskTier))
      for (const tier of [0, 1, 2, 3, 4]) yield { fact: 'riskTier', value: tier };
    yield { fact: 'actionDigest', value: facts.actionDigest ?? NO_HASH };
  }
  if (facts.kind === 'access') {
    if (given(criteria.matchResourceId) && criteria.matchResourceId !== '*')
      yield* both('resourceId', criteria.matchResourceId, null);
    if (rule.access) {
      yield* both('durationMinutes', rule.access.maxDurationMinutes, rule.access.maxDurationMinutes + 1);
      if (rule.access.requiresReason) yield* both('reason', 'a reason', null);
      for (const id of rule.access.steps.flatMap((step) => step.approverUserIds))
        yield { fact: 'subjectUserId', value: id };
    }
    yield { fact: 'subjectUserId', value: NOBODY };
  }
  if (rule.authorIds.length > 0) {
    for (const id of rule.authorIds) yield { fact: 'subjectUserId', value: id };
    yield { fact: 'subjectUserId', value: NOBODY };
  }
}

function* ofPeople(criteria: CompiledRule['criteria'], facts: Facts): Generator<Candidate> {
  const { siteId, matchUser, matchAdGroup, timeWindow } = criteria;
  if (given(siteId)) yield* both('siteId', siteId, null);
  if (given(matchUser)) yield* both('username', matchUser, 'somebody else');
  if (given(matchAdGroup)) {
    const groups = Array.isArray(facts.groups) ? facts.groups : [];
    const others = groups.filter((group) => foldCase(group) !== foldCase(matchAdGroup));
    yield* both('groups', [...others, matchAdGroup], others);
    yield* both('groups', [matchAdGroup], []);
  }
  if (given(timeWindow)) {
    const next = compileWindow(timeWindow).nextChange(Date.parse(facts.at), WINDOW_DAYS);
    if (next !== undefined) yield { fact: 'at', value: new Date(next).toISOString() };
  }
}

function* ofProgram({
  matchHash,
  matchSigner,
  matchPathGlob,
  matchParentImage,
}: CompiledRule['criteria']): Generator<Candidate> {
  if (given(matchHash)) yield* both('hash', matchHash.toLowerCase(), NO_HASH);
  if (given(matchSigner)) yield* both('signer', matchSigner, null);
  if (given(matchPathGlob)) {
    const path = pathWithin(compilePathGlob(matchPathGlob));
    if (path !== undefined) yield { fact: 'path', value: path };
    yield { fact: 'path', value: NO_PATH };
  }
  if (given(matchParentImage)) {
    const { whole, name } = parentOf(matchParentImage);
    yield* both('parentImage', whole ? name : `C:\\WINDOWS\\${name}`, NO_PATH);
  }
}

function* both(fact: FactName, holds: unknown, fails: unknown): Generator<Candidate> {
  yield { fact, value: holds };
  yield { fact, value: fails };
}

function same(facts: Facts, { fact, value }: Candidate): boolean {
  const had = (facts as unknown as Record<string, unknown>)[fact];
  return had !== undefined && JSON.stringify(had) === JSON.stringify(value);
}

/** Returns a path that the pattern matches; undefined if none of the simple candidates does. */
export function pathWithin(glob: Glob): string | undefined {
  for (const fill of ['', 'X', 'X.EXE', 'X\\X', 'C:\\X', 'C:\\X\\X']) {
    const rooted = fill.startsWith('C:') && glob.pattern.startsWith('*');
    const body = (rooted ? glob.pattern.slice(1) : glob.pattern).replaceAll('*', rooted ? 'X' : fill);
    const { path } = canonicalWindowsPath((rooted ? fill : '') + body.replaceAll('?', 'X'));
    if (path !== undefined && glob.matches(path)) return path;
  }
  return undefined;
}
