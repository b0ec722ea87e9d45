import { ClavigerError, type FieldProblem } from '@claviger/errors';
import { Checked } from './checked.ts';
import { given, type RuleFields } from './rule.ts';
import { checkAccess } from './validate-access.ts';
import { checkCriteria, checkText } from './validate-criteria.ts';

const VERDICTS = ['auto_approve', 'auto_deny', 'require_approval', 'ignore'];
const CRITERIA_FIELDS = [
  'siteId',
  'matchSigner',
  'matchHash',
  'matchPathGlob',
  'matchParentImage',
  'matchUser',
  'matchAdGroup',
  'matchToolName',
  'matchRiskTier',
  'matchResourceId',
  'timeWindow',
];
const RULE_FIELDS = [
  ...CRITERIA_FIELDS,
  'name',
  'verdict',
  'priority',
  'enabled',
  'approvalDurationMinutes',
  'access',
];
const MAX_PRIORITY = 2_147_483_647;

/**
 * Returns the problems of a rule in its stored form, with the JSON pointers of the fields; empty if it is
 * valid. Validate a change by its result: `validateRule(mergeRule(stored, patch))`.
 */
export function validateRule(rule: unknown): FieldProblem[] {
  const checked = new Checked();
  if (!isObject(rule)) return [{ pointer: '', detail: 'must be an object' }];
  refuseUnknown(rule, RULE_FIELDS, checked);
  if (rule.name === undefined || rule.name === null) checked.problem('/name', 'is needed');
  else checkText(rule.name, '/name', 255, checked);
  if (!VERDICTS.includes(rule.verdict as string))
    checked.problem('/verdict', `must be one of ${VERDICTS.join(', ')}`);
  if (rule.priority !== undefined && !checked.isInteger(rule.priority, -MAX_PRIORITY, MAX_PRIORITY))
    checked.problem('/priority', `must be a whole number from ${-MAX_PRIORITY} to ${MAX_PRIORITY}`);
  if (rule.enabled !== undefined && typeof rule.enabled !== 'boolean')
    checked.problem('/enabled', 'must be true or false');
  if (given(rule.approvalDurationMinutes) && !checked.isInteger(rule.approvalDurationMinutes, 1, 1440))
    checked.problem('/approvalDurationMinutes', 'must be a whole number of minutes from 1 to 1440');
  checkCriteria(rule, checked);
  if (rule.verdict === 'ignore') {
    if (given(rule.matchToolName) || given(rule.matchRiskTier))
      checked.problem('/verdict', 'cannot be ignore for an action of a tool: it must be decided');
    if (given(rule.matchResourceId))
      checked.problem('/verdict', 'cannot be ignore for a resource: the request must be decided');
  }
  checkAccess(rule, checked);
  return checked.problems;
}

/** The same for criteria only, as in a preview: name, verdict and other fields can be missing. */
export function validateCriteria(draft: unknown): FieldProblem[] {
  const checked = new Checked();
  if (!isObject(draft)) return [{ pointer: '', detail: 'must be an object' }];
  refuseUnknown(draft, RULE_FIELDS, checked);
  checkCriteria(draft, checked);
  return checked.problems;
}

/** The fields of a rule, without those that the store adds. */
export function ruleFieldsOf(rule: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(rule).filter(([field]) => RULE_FIELDS.includes(field)));
}

/** Throws `invalid` with all invalid fields. */
export function assertRule(rule: unknown): asserts rule is RuleFields {
  const fields = validateRule(rule);
  if (fields.length > 0) throw new ClavigerError('invalid', 'The rule is not valid.', { fields });
}

/**
 * A stored rule after a partial update: given fields are replaced, null removes a field, other fields stay.
 * The time window and the terms of access are replaced as a whole.
 */
export function mergeRule(stored: RuleFields, patch: Partial<RuleFields>): RuleFields {
  const entries = Object.entries(patch).filter(([, value]) => value !== undefined);
  return { ...stored, ...Object.fromEntries(entries) };
}

function refuseUnknown(rule: Record<string, unknown>, known: readonly string[], checked: Checked): void {
  for (const field of Object.keys(rule)) {
    if (!known.includes(field)) checked.problem(checked.pointer('', field), 'is not known');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
