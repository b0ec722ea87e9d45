import { expect, test } from 'vitest';
import { type AccessPolicyFields, accessRuleOf } from './decide-access.ts';
import { evaluate } from './evaluate.ts';
import type { AccessFacts } from './facts.ts';
import { compileRuleSet } from './rule-set.ts';
import { USERS } from './test-arbitraries.ts';

const RESOURCE = '00000000-0000-4000-a000-000000000001';
const [requester, chief, deputy] = USERS as [string, string, string];
const policy: AccessPolicyFields = {
  steps: [{ name: 'approval', quorum: 2, approverUserIds: [], approverRoles: [] }],
  maxDurationMinutes: 60,
  oneTime: true,
  rotateOnEnd: true,
  requestTtlMinutes: 1_440,
};
const facts: AccessFacts = {
  kind: 'access',
  at: '2026-11-20T08:30:00Z',
  siteId: null,
  subjectUserId: requester,
  username: 'sarah',
  groups: [],
  resourceId: RESOURCE,
  durationMinutes: 30,
  reason: 'CHG-1042',
};
const decide = (changes: Partial<AccessPolicyFields>, request: Partial<AccessFacts> = {}) =>
  evaluate(
    compileRuleSet('1', [accessRuleOf(RESOURCE, { ...policy, ...changes }), accessRuleOf(null, policy)]),
    { ...facts, ...request },
  );

test('a policy defines the approvers and the quorum, never the requester', () => {
  const steps = [
    { name: 'owner', quorum: 1, approverUserIds: [requester, chief], approverRoles: [] },
    policy.steps[0]!,
  ];
  expect(decide({ steps })).toMatchObject({
    verdict: 'needs_approval',
    because: 'approval_required',
    source: 'access_policy',
    access: {
      steps: [
        { name: 'owner', quorum: 1, approverUserIds: [chief] },
        { quorum: 2, approverUserIds: [] },
      ],
      excludedUserIds: [requester],
      maxDurationMinutes: 60,
      oneTime: true,
    },
  });
});

test('without a step it is given at once, but not to who wrote the policy', () => {
  expect(decide({ steps: [] })).toMatchObject({ verdict: 'auto_approved', source: 'access_policy' });
  const own = compileRuleSet('1', [accessRuleOf(RESOURCE, { ...policy, steps: [] }, [requester])]);
  expect(evaluate(own, facts)).toMatchObject({ verdict: 'pending', because: 'own_rule' });
});

test('too long, without a reason, or without an approver: denied', () => {
  expect(decide({}, { durationMinutes: 61 })).toMatchObject({ verdict: 'denied', because: 'too_long' });
  expect(decide({}, { reason: ' ' })).toMatchObject({ verdict: 'denied', because: 'reason_required' });
  expect(decide({ requiresReason: false }, { reason: null }).verdict).toBe('needs_approval');
  const alone = [{ name: 'owner', quorum: 1, approverUserIds: [requester], approverRoles: [] }];
  expect(decide({ steps: alone })).toMatchObject({ verdict: 'denied', because: 'nobody_can_approve' });
  const pair = [{ name: 'owner', quorum: 2, approverUserIds: [requester, deputy], approverRoles: [] }];
  expect(decide({ steps: pair }).because).toBe('nobody_can_approve');
  expect(decide({ steps: [{ ...alone[0]!, approverRoles: ['security'] }] }).verdict).toBe('needs_approval');
});

test('a resource without a policy, and no resource, use the default; an unknown one is pending', () => {
  expect(decide({ steps: [] }, { resourceId: chief })).toMatchObject({
    verdict: 'needs_approval',
    decidingRule: { id: 'access-policy:default' },
  });
  expect(decide({ steps: [] }, { resourceId: null }).decidingRule?.id).toBe('access-policy:default');
  for (const unknown of [
    { subjectUserId: null },
    { subjectUserId: undefined },
    { durationMinutes: null },
    { durationMinutes: 0 },
    { resourceId: undefined },
  ])
    expect(decide({ steps: [] }, unknown).verdict).toBe('pending');
  expect(evaluate(compileRuleSet('1', []), facts)).toMatchObject({ verdict: 'pending', because: 'no_rule' });
});

test('rules for elevations never open a resource', () => {
  const user = { id: 'u', name: 'u', verdict: 'auto_approve', matchUser: 'sarah', authorIds: [] } as const;
  expect(evaluate(compileRuleSet('1', [user]), facts).verdict).toBe('pending');
});
