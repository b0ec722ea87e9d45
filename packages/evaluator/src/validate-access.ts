import type { Checked } from './checked.ts';
import { given } from './rule.ts';
import { checkText, checkUuid } from './validate-criteria.ts';

const TERMS = [
  'steps',
  'maxDurationMinutes',
  'requiresReason',
  'oneTime',
  'rotateOnEnd',
  'requestTtlMinutes',
];
const STEP = ['name', 'quorum', 'approverUserIds', 'approverRoles'];
const MAX_MINUTES = 366 * 24 * 60;

/**
 * Validates the terms of access: required in a rule for a resource unless it denies, not allowed in other
 * rules.
 */
export function checkAccess(rule: Record<string, unknown>, checked: Checked): void {
  const { access, matchResourceId, verdict } = rule;
  if (!given(matchResourceId)) {
    if (given(access)) checked.problem('/access', 'belongs to rules with a matchResourceId only');
    return;
  }
  if (given(rule.approvalDurationMinutes))
    checked.problem('/approvalDurationMinutes', 'is for elevations; use /access/maxDurationMinutes');
  if (!given(access)) {
    if (verdict !== 'auto_deny') checked.problem('/access', 'is needed: who approves and for how long');
    return;
  }
  if (typeof access !== 'object' || Array.isArray(access))
    return checked.problem('/access', 'must be an object');
  const terms = access as Record<string, unknown>;
  for (const field of Object.keys(terms)) {
    if (!TERMS.includes(field)) checked.problem(checked.pointer('/access', field), 'is not known');
  }
  for (const field of ['maxDurationMinutes', 'requestTtlMinutes'] as const) {
    if (!checked.isInteger(terms[field], 1, MAX_MINUTES))
      checked.problem(`/access/${field}`, `must be a whole number of minutes from 1 to ${MAX_MINUTES}`);
  }
  for (const field of ['requiresReason', 'oneTime', 'rotateOnEnd'] as const) {
    if (typeof terms[field] !== 'boolean') checked.problem(`/access/${field}`, 'must be true or false');
  }
  checkSteps(terms.steps, verdict, checked);
}

function checkSteps(steps: unknown, verdict: unknown, checked: Checked): void {
  const at = '/access/steps';
  if (!Array.isArray(steps)) return checked.problem(at, 'must be a list');
  if (verdict === 'require_approval' && steps.length === 0)
    checked.problem(at, 'needs at least one step when approval is required');
  if (verdict === 'auto_approve' && steps.length > 0)
    checked.problem(at, 'must be empty when nobody is asked');
  steps.forEach((step, index) => {
    checkStep(step, `${at}/${index}`, checked);
  });
}

function checkStep(value: unknown, at: string, checked: Checked): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return checked.problem(at, 'must be an object');
  const step = value as Record<string, unknown>;
  for (const field of Object.keys(step)) {
    if (!STEP.includes(field)) checked.problem(checked.pointer(at, field), 'is not known');
  }
  checkText(step.name, `${at}/name`, 255, checked);
  if (!checked.isInteger(step.quorum, 1, 100))
    checked.problem(`${at}/quorum`, 'must be a whole number from 1 to 100');
  for (const field of ['approverUserIds', 'approverRoles'] as const) {
    const list = step[field];
    if (!Array.isArray(list)) {
      checked.problem(`${at}/${field}`, 'must be a list');
      continue;
    }
    list.forEach((item, index) => {
      const pointer = `${at}/${field}/${index}`;
      if (field === 'approverUserIds') checkUuid(item, pointer, checked);
      else checkText(item, pointer, 255, checked);
      if (list.indexOf(item) !== index) checked.problem(pointer, 'stands twice');
    });
  }
  const { approverUserIds: users, approverRoles: roles, quorum } = step;
  if (!Array.isArray(users) || !Array.isArray(roles) || typeof quorum !== 'number') return;
  if (roles.length === 0 && users.length > 0 && users.length < quorum)
    checked.problem(
      `${at}/quorum`,
      `is more than the ${users.length} approvers named: nobody could get access`,
    );
}
