import type { FieldProblem } from '@claviger/errors';
import { type Criterion, compileCriteria } from './criteria.ts';
import type { Facts } from './facts.ts';
import { finish, gradually, type Work } from './pace.ts';
import {
  type Criteria,
  DEFAULT_PRIORITY,
  type Rule,
  type RuleFields,
  type RuleVerdict,
  type Shape,
  type SoftwareEntry,
  shapeOf,
} from './rule.ts';
import { indexing, type RuleIndex } from './rule-index.ts';
import { problemsOfEntry } from './software-entry.ts';
import { ruleFieldsOf, validateRule } from './validate-rule.ts';

export type Stage = 'software_policy' | 'rules';

/** A compiled rule. */
export interface CompiledRule {
  readonly stage: Stage;
  readonly order: number;
  readonly rule: Rule;
  readonly priority: number;
  readonly shape: Shape;
  readonly criteria: Criteria;
  readonly asks: readonly Criterion[];
}

/** A rule or an entry that cannot be used; while it exists, its stage decides nothing. */
export interface BrokenRule {
  readonly stage: Stage;
  readonly ruleId: string;
  readonly problems: readonly FieldProblem[];
}

/** One version of all rules of a tenant. It is immutable, and one decision uses one version. */
export interface RuleSet {
  readonly version: string;
  /** As given, including disabled and broken rules; frozen. */
  readonly rules: readonly Rule[];
  readonly softwareEntries: readonly SoftwareEntry[];
  readonly broken: readonly BrokenRule[];
  /** The rules in force, in evaluation order. */
  readonly ordered: readonly CompiledRule[];
  readonly orderedSoftware: readonly CompiledRule[];
  readonly byKind: Readonly<Record<Facts['kind'], RuleIndex<CompiledRule>>>;
  readonly software: RuleIndex<CompiledRule>;
}

/** At equal priority, the stricter verdict comes first. */
const SEVERITY: Record<RuleVerdict, number> = {
  auto_deny: 0,
  require_approval: 1,
  ignore: 2,
  auto_approve: 3,
};

/**
 * Creates a rule set from rules in any order. Sorts by priority, lower first; then deny before asking,
 * ignoring and approving; then by id. Never throws because of a rule: invalid rules are listed in `broken`.
 */
export function compileRuleSet(
  version: string,
  rules: readonly Rule[],
  softwareEntries: readonly SoftwareEntry[] = [],
): RuleSet {
  return finish(compiling(version, rules, softwareEntries));
}

/** The same in slices: ten thousand rules take a large part of a second, in which other work can run. */
export function compileRuleSetGradually(
  version: string,
  rules: readonly Rule[],
  softwareEntries: readonly SoftwareEntry[] = [],
): Promise<RuleSet> {
  return gradually(compiling(version, rules, softwareEntries));
}

function* compiling(
  version: string,
  rules: readonly Rule[],
  softwareEntries: readonly SoftwareEntry[],
): Work<RuleSet> {
  const broken: BrokenRule[] = [];
  const frozen = yield* freezeAll(rules);
  const entries = yield* freezeAll(softwareEntries);
  const ordered = yield* compileAll(
    'rules',
    frozen,
    (rule) => validateRule(ruleFieldsOf(rule)),
    (rule) => rule,
    broken,
  );
  const orderedSoftware = yield* compileAll('software_policy', entries, problemsOfEntry, ruleOfEntry, broken);
  const indexOf = (kind: Facts['kind']): Work<RuleIndex<CompiledRule>> =>
    indexing(ordered.filter((rule) => appliesTo(rule, kind)));
  return Object.freeze({
    version,
    rules: Object.freeze(frozen),
    softwareEntries: Object.freeze(entries),
    broken: Object.freeze(broken),
    ordered: Object.freeze(ordered),
    orderedSoftware: Object.freeze(orderedSoftware),
    byKind: Object.freeze({
      elevation: yield* indexOf('elevation'),
      tool: yield* indexOf('tool'),
      access: yield* indexOf('access'),
    }),
    software: yield* indexing(orderedSoftware),
  });
}

/** Whether a rule can apply to this kind of request. A rule for elevations never applies to a resource. */
export function appliesTo(
  { shape, rule }: Pick<CompiledRule, 'shape' | 'rule'>,
  kind: Facts['kind'],
): boolean {
  if (shape === 'access' || kind === 'access') return shape === kind;
  if (kind === 'tool') return shape === 'tool' || (shape === 'any' && rule.verdict !== 'ignore');
  return shape !== 'tool';
}

function* compileAll<T extends { id: string; enabled?: boolean }>(
  stage: Stage,
  items: readonly T[],
  problemsOf: (item: T) => FieldProblem[],
  toRule: (item: T) => Rule,
  broken: BrokenRule[],
): Work<CompiledRule[]> {
  const compiled: Omit<CompiledRule, 'order'>[] = [];
  for (const item of items) {
    yield;
    if (item?.enabled === false) continue;
    try {
      const problems = problemsOf(item);
      if (problems.length === 0) compiled.push(compile(stage, toRule(item)));
      else broken.push({ stage, ruleId: String(item?.id), problems });
    } catch (error) {
      const detail = error instanceof Error ? error.message : 'cannot be read';
      broken.push({ stage, ruleId: String(item?.id), problems: [{ pointer: '', detail }] });
    }
  }
  return compiled.sort(byOrder).map((rule, order) => Object.freeze({ ...rule, order }));
}

/** Compiles one valid rule. Throws if it cannot be evaluated, e.g. for an unknown zone. */
export function compileRule(stage: Stage, rule: Rule): CompiledRule {
  return { ...compile(stage, rule), order: 0 };
}

function compile(stage: Stage, rule: Rule): Omit<CompiledRule, 'order'> {
  if (typeof rule.id !== 'string' || !Array.isArray(rule.authorIds))
    throw new TypeError('has no id or no authors');
  const fields: RuleFields = rule;
  return {
    stage,
    rule,
    priority: rule.priority ?? DEFAULT_PRIORITY,
    shape: shapeOf(fields),
    criteria: fields,
    asks: compileCriteria(fields),
  };
}

function byOrder(a: Omit<CompiledRule, 'order'>, b: Omit<CompiledRule, 'order'>): number {
  return (
    a.priority - b.priority ||
    SEVERITY[a.rule.verdict] - SEVERITY[b.rule.verdict] ||
    (a.rule.id < b.rule.id ? -1 : a.rule.id > b.rule.id ? 1 : 0)
  );
}

/** The lists run before any rule and have only two verdicts. */
function ruleOfEntry(entry: SoftwareEntry): Rule {
  const { list, ...rest } = entry;
  return { ...rest, verdict: list === 'deny' ? 'auto_deny' : 'auto_approve', priority: 0 };
}

function* freezeAll<T>(values: readonly T[]): Work<T[]> {
  const frozen: T[] = [];
  for (const value of values) {
    frozen.push(freeze(value));
    yield;
  }
  return frozen;
}

function freeze<T>(value: T): T {
  try {
    return deepFreeze(structuredClone(value));
  } catch {
    // Not data, so not a rule: it is reported as broken when it is compiled.
    return Object.freeze({ id: 'unreadable' }) as T;
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
