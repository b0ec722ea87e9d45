import type { FactName } from './facts.ts';
import { compilePathGlob } from './path-glob.ts';
import { type Known, type PreparedFacts, Unresolved } from './prepared-facts.ts';
import { type Criteria, given } from './rule.ts';
import { type CompiledWindow, compileWindow } from './time-window.ts';
import { canonicalWindowsPath, foldCase } from './windows-path.ts';

/** Yes, no, or why it is unknown. */
export type Answer = boolean | Unresolved;

/** One criterion of a rule. */
export interface Criterion {
  readonly field: keyof Criteria;
  readonly fact: FactName;
  ask(facts: PreparedFacts): Answer;
}

/** Returns the criteria of a rule, cheap ones first. Throws if one is invalid, such as an unknown zone. */
export function compileCriteria(criteria: Criteria): Criterion[] {
  const asked: Criterion[] = [];
  const add = <T>(
    field: keyof Criteria,
    fact: FactName,
    read: (facts: PreparedFacts) => Known<T>,
    holds: (value: T, facts: PreparedFacts) => boolean,
  ): void => {
    asked.push({
      field,
      fact,
      ask: (facts) => {
        const value = read(facts);
        if (value instanceof Unresolved) return value;
        return value !== null && holds(value, facts);
      },
    });
  };
  const { matchHash, matchSigner, matchToolName, matchRiskTier, matchResourceId, matchUser } = criteria;
  if (given(matchHash)) {
    const hash = matchHash.toLowerCase();
    add(
      'matchHash',
      'hash',
      (facts) => facts.hash,
      (value) => value === hash,
    );
  }
  if (given(matchToolName))
    add(
      'matchToolName',
      'toolName',
      (facts) => facts.toolName,
      (value) => value === matchToolName,
    );
  if (given(matchRiskTier))
    add(
      'matchRiskTier',
      'riskTier',
      (facts) => facts.riskTier,
      (value) => value === matchRiskTier,
    );
  if (given(matchResourceId) && matchResourceId !== '*') {
    const resourceId = matchResourceId.toLowerCase();
    add(
      'matchResourceId',
      'resourceId',
      (facts) => facts.resourceId,
      (value) => value === resourceId,
    );
  }
  if (given(criteria.siteId)) {
    const siteId = criteria.siteId.toLowerCase();
    add(
      'siteId',
      'siteId',
      (facts) => facts.siteId,
      (value) => value === siteId,
    );
  }
  if (given(matchSigner))
    add(
      'matchSigner',
      'signer',
      (facts) => facts.signer,
      (value) => value === matchSigner,
    );
  if (given(matchUser)) {
    const username = foldCase(matchUser);
    add(
      'matchUser',
      'username',
      (facts) => facts.username,
      (value) => value === username,
    );
  }
  if (given(criteria.matchAdGroup)) {
    const group = foldCase(criteria.matchAdGroup);
    add(
      'matchAdGroup',
      'groups',
      (facts) => facts.groups,
      (value) => value.has(group),
    );
  }
  if (given(criteria.matchParentImage)) {
    const parent = parentOf(criteria.matchParentImage);
    add(
      'matchParentImage',
      'parentImage',
      (facts) => facts.parentImage,
      parent.whole ? (value) => value === parent.name : (value) => fileNameOf(value) === parent.name,
    );
  }
  if (given(criteria.matchPathGlob)) {
    const glob = compilePathGlob(criteria.matchPathGlob);
    add(
      'matchPathGlob',
      'path',
      (facts) => facts.path,
      (value, { effort }) => glob.matches(value, effort),
    );
  }
  if (given(criteria.timeWindow)) {
    const window: CompiledWindow = compileWindow(criteria.timeWindow);
    add(
      'timeWindow',
      'at',
      (facts) => facts.atMs,
      (value) => window.isOpen(value),
    );
  }
  return asked;
}

/** Parses the parent pattern: a full canonical path, or a file name. Throws for anything else. */
export function parentOf(pattern: string): { whole: boolean; name: string } {
  const whole = /[\\/:]/.test(pattern);
  const { path, unresolved } = canonicalWindowsPath(whole ? pattern : `C:\\${pattern}`);
  if (path === undefined) throw new RangeError(unresolved);
  return { whole, name: whole ? path : fileNameOf(path) };
}

export function fileNameOf(path: string): string {
  return path.slice(path.lastIndexOf('\\') + 1);
}
