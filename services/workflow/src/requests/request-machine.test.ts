import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Step } from '../schema.ts';
import {
  cancel,
  decide,
  expire,
  isEligible,
  type Outcome,
  type RequestState,
  statusAt,
} from './request-machine.ts';

const REQUESTER = 'requester';
const PEOPLE = [REQUESTER, 'ann', 'bob', 'cy', 'dee'];
const ROLES = ['managers', 'security'];
const EXPIRES_AT = 1_000;

const step = fc.record({
  name: fc.constant('step'),
  quorum: fc.integer({ min: 1, max: 3 }),
  approverUserIds: fc.subarray(PEOPLE),
  approverRoles: fc.subarray(ROLES),
}) satisfies fc.Arbitrary<Step>;

const command = fc.oneof(
  fc.record({
    kind: fc.constantFrom('approve' as const, 'deny' as const),
    userId: fc.constantFrom(...PEOPLE),
    roles: fc.subarray(ROLES),
    durationMinutes: fc.option(fc.integer({ min: 1, max: 90 }), { nil: undefined }),
    digest: fc.constantFrom('', 'seen', 'other'),
  }),
  fc.record({ kind: fc.constant('cancel' as const), userId: fc.constantFrom(...PEOPLE) }),
  fc.record({ kind: fc.constant('expire' as const) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 400 }) }),
);

function fresh(steps: readonly Step[]): RequestState {
  return {
    status: 'pending',
    requesterId: REQUESTER,
    requesterBehind: [],
    digest: 'seen',
    durationMinutes: 60,
    approvedDurationMinutes: undefined,
    expiresAtMs: EXPIRES_AT,
    steps,
    openStep: 0,
    decisions: [],
  };
}

describe('for calls in any order and at any time', () => {
  test('a request ends once, is approved exactly when every quorum is met, and is never lengthened', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 3 }),
        fc.array(command, { maxLength: 40 }),
        (steps, commands) => {
          let state = fresh(steps);
          let nowMs = 0;
          let ends = 0;
          let grants = 0;
          for (const each of commands) {
            const before = state;
            let outcome: Outcome | undefined;
            switch (each.kind) {
              case 'wait':
                nowMs += each.ms;
                break;
              case 'cancel':
                outcome = cancel(state, each.userId, nowMs);
                break;
              case 'expire':
                outcome = expire(state, nowMs);
                break;
              default: {
                const by = { userId: each.userId, roles: each.roles };
                const open = state.steps[state.openStep];
                outcome = decide(state, { ...each, decision: each.kind, by }, nowMs);
                if (outcome.kind === 'done') {
                  expect(each.userId).not.toBe(REQUESTER);
                  expect(each.digest).not.toBe('other');
                  expect(isEligible(open!, by)).toBe(true);
                  expect(nowMs).toBeLessThan(EXPIRES_AT);
                }
              }
            }
            if (outcome?.kind !== 'done') continue;
            expect(before.status).toBe('pending');
            state = outcome.state;
            if (state.status !== 'pending') ends += 1;
            if (state.status === 'approved') grants += 1;
            expect(state.approvedDurationMinutes ?? 60).toBeLessThanOrEqual(
              before.approvedDurationMinutes ?? 60,
            );
          }
          expect(ends).toBe(state.status === 'pending' ? 0 : 1);
          const quorums = steps.every((one, index) => {
            const people = state.decisions.filter(
              (each) => each.step === index && each.decision === 'approve',
            );
            return new Set(people.map((each) => each.userId)).size >= one.quorum;
          });
          expect(grants).toBe(quorums ? 1 : 0);
          expect(state.status === 'approved').toBe(quorums);
          expect(new Set(state.decisions.map((each) => each.userId)).size).toBe(state.decisions.length);
          expect(state.decisions.filter((each) => each.decision === 'deny')).toHaveLength(
            state.status === 'denied' ? 1 : 0,
          );
          expect(statusAt(state, EXPIRES_AT)).not.toBe('pending');
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

test('a person does not count in a second step', () => {
  const anyone = { name: 'a', quorum: 1, approverUserIds: [], approverRoles: [] };
  const input = {
    decision: 'approve',
    by: { userId: 'ann', roles: [] },
    digest: '',
    durationMinutes: undefined,
  } as const;
  const first = decide(fresh([anyone, anyone]), input, 0);
  expect(first).toMatchObject({ kind: 'done', state: { status: 'pending', openStep: 1 } });
  if (first.kind === 'done')
    expect(decide(first.state, input, 0)).toEqual({ kind: 'refused', refusal: 'already_decided' });
});
