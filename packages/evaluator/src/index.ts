export { type AccessPolicyFields, accessRuleOf, DEFAULT_POLICY_PRIORITY } from './decide-access.ts';
export { evaluate, evaluateRules, evaluateSoftware, type StageAnswer } from './evaluate.ts';
export type {
  AccessDecision,
  Because,
  DecidingRule,
  Evaluation,
  Source,
  Trace,
  TraceStep,
  Verdict,
} from './evaluation.ts';
export { type ExplainOptions, type Explanation, explain, explainGradually } from './explain.ts';
export type { AccessFacts, ElevationFacts, FactName, Facts, FlowType, ToolFacts } from './facts.ts';
export type { Finding, FindingCode } from './finding.ts';
export { MAX_GLOB_LENGTH, MAX_GLOB_WILDCARDS } from './glob.ts';
export { type LintContext, lint, type OpenRequest } from './lint.ts';
export type { KnownUser } from './lint-authors.ts';
export { lookAlikeTexts } from './look-alike-texts.ts';
export { type FactChange, nearestChange } from './nearest-change.ts';
export { createPace } from './pace.ts';
export {
  DEFAULT_WINDOW_DAYS,
  type PastRequest,
  type Preview,
  type PreviewOptions,
  preview,
  type RequestStatus,
  type RunningPreview,
  startPreview,
} from './preview.ts';
export {
  type Replay,
  type ReplayedChange,
  type ReplayGroup,
  type ReplayOptions,
  type ReplayReport,
  replay,
  type StoredDecision,
  startReplay,
} from './replay.ts';
export {
  type AccessTerms,
  type ApprovalStep,
  type Criteria,
  DEFAULT_PRIORITY,
  type Rule,
  type RuleFields,
  type RuleVerdict,
  type Shape,
  type SoftwareEntry,
  shapeOf,
} from './rule.ts';
export {
  type BrokenRule,
  compileRuleSet,
  compileRuleSetGradually,
  type RuleSet,
  type Stage,
} from './rule-set.ts';
export { problemsOfEntry } from './software-entry.ts';
export type { TimeWindow } from './time-window.ts';
export { assertRule, mergeRule, validateCriteria, validateRule } from './validate-rule.ts';
export { type Approver, type Coverage, type CoverageOptions, whoCanApprove } from './who-can-approve.ts';
export { type CanonicalPath, canonicalWindowsPath } from './windows-path.ts';

/**
 * For tests: random rules and facts, and a slow reference implementation. Imported separately: services lack
 * fast-check.
 */
export const forTests = async () => ({
  ...(await import('./test-arbitraries.ts')),
  ...(await import('./test-oracle.ts')),
});
