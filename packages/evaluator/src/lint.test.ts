import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coversGlob, coversWindow } from './covers.ts';
import { evaluate } from './evaluate.ts';
import { type LintContext, lint } from './lint.ts';
import { lintOrder } from './lint-order.ts';
import { compilePathGlob } from './path-glob.ts';
import type { Rule } from './rule.ts';
import { compileRuleSet } from './rule-set.ts';
import { anyFacts, entryList, ruleList, SITES, USERS } from './test-arbitraries.ts';
import { isOpenAt } from './time-window.ts';

const AT = '2026-11-20T20:30:00Z';
const [author, other, third] = USERS as [string, string, string];
let ids = 0;
const rule = (fields: Partial<Rule>): Rule => ({
  id: `rule-${ids++}`,
  name: 'r',
  verdict: 'auto_approve',
  authorIds: [],
  ...fields,
});
const found = (rules: readonly Rule[], context: Partial<LintContext> = {}) =>
  lint(compileRuleSet('1', rules), { at: AT, ...context });
const codes = (rules: readonly Rule[], context: Partial<LintContext> = {}): string[] =>
  found(rules, context).map(({ code }) => code);

describe('order', () => {
  test('a rule reported as never reached never decides', () => {
    let flagged = 0;
    fc.assert(
      fc.property(ruleList, entryList, fc.array(anyFacts, { maxLength: 12 }), (rules, entries, history) => {
        const set = compileRuleSet('1', rules, entries);
        const dead = lintOrder(set).map(({ ruleId }) => ruleId);
        flagged += dead.length;
        for (const facts of history) expect(dead).not.toContain(evaluate(set, facts).decidingRule?.id);
      }),
      { numRuns: 600 },
    );
    expect(flagged).toBeGreaterThan(0);
  });

  test('a rule behind one that asks for less is shadowed, behind one of the same verdict redundant', () => {
    const broad = rule({ matchPathGlob: 'C:\\Tools\\*', priority: 1, verdict: 'auto_deny' });
    const narrow = { matchPathGlob: 'c:/tools/sub/*.exe', matchSigner: 'Contoso' };
    expect(found([broad, rule(narrow)])).toMatchObject([
      { code: 'shadowed', severity: 'error', otherRuleIds: [broad.id] },
    ]);
    expect(codes([broad, rule({ ...narrow, verdict: 'auto_deny' })])).toEqual(['redundant']);
    expect(codes([broad, rule({ ...narrow, priority: 0 })])).toEqual([]);
    expect(codes([{ ...broad, enabled: false }, rule(narrow)])).toEqual([]);
    expect(codes([{ ...broad, siteId: SITES[0]! }, rule(narrow)])).toEqual([]);
    // A rule that ignores leaves actions of tools to later rules.
    expect(
      codes([
        rule({ matchUser: 'a', verdict: 'ignore', priority: 1 }),
        rule({ matchUser: 'a', matchToolName: 't' }),
      ]),
    ).toEqual([]);
  });

  test('rules for every tier together shadow a later rule', () => {
    const tiers = [0, 1, 2, 3, 4].map((matchRiskTier) =>
      rule({ matchRiskTier, verdict: 'auto_deny', priority: 1 }),
    );
    const last = rule({ matchToolName: 'restart' });
    expect(found([...tiers, last])).toMatchObject([{ code: 'unreachable', ruleId: last.id }]);
    expect(codes([...tiers.slice(1), last])).toEqual([]);
  });

  test('a pattern said to cover another matches all that the other matches', () => {
    const text = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 6 });
    fc.assert(
      fc.property(text('AB*?'), text('AB*?'), text('AB'), (outer, inner, path) => {
        if (coversGlob(outer, inner) && compilePathGlob(inner).matches(path))
          expect(compilePathGlob(outer).matches(path)).toBe(true);
        expect(coversGlob(inner, inner)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(coversGlob('*', 'A?B*')).toBe(true);
    expect(coversGlob('?', '*')).toBe(false);
  });

  test('a window covers another exactly when it is open whenever the other is', () => {
    const time = fc.constantFrom('00:00', '06:00', '09:00', '17:30', '22:00', '23:59');
    const days = fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }));
    const window = fc.record({ start: time, end: time, days });
    fc.assert(
      fc.property(window, window, (outer, inner) => {
        let all = true;
        for (let day = 0; day < 7; day++)
          for (let minutes = 0; minutes < 1_440; minutes += 30)
            if (isOpenAt(inner, { day, minutes }) && !isOpenAt(outer, { day, minutes })) all = false;
        // 23:59 is not on the half hour; a window that begins or ends there can differ by that minute.
        if ([outer.start, outer.end, inner.start, inner.end].includes('23:59')) return;
        expect(coversWindow(outer, inner)).toBe(all);
      }),
      { numRuns: 300 },
    );
  });
});

test('an empty window never matches; a clock change that skips one is reported', () => {
  const window = (start: string, end: string, days: number[] | null = null) =>
    rule({
      matchUser: 'a\\b',
      verdict: 'auto_deny',
      timeWindow: { start, end, days, timezone: 'Europe/Berlin' },
    });
  expect(codes([window('09:00', '09:00')])).toEqual(['invalid_rule', 'window_never_matches']);
  expect(found([window('02:15', '02:45')])[0]).toMatchObject({
    code: 'window_skipped',
    severity: 'note',
    message: expect.stringContaining('2027-03-28'),
  });
  expect(codes([window('02:15', '02:45', [1])])).toEqual([]);
  expect(codes([window('01:45', '02:30')])).toEqual([]);
  expect(codes([window('02:15', '03:15')])).toEqual([]);
});

test('a broken rule is reported first', () => {
  const findings = found([rule({ matchUser: 'a', authorIds: [author] }), rule({ matchHash: 'x' })]);
  expect(findings[0]).toMatchObject({
    code: 'invalid_rule',
    severity: 'error',
    message: expect.stringContaining('/matchHash'),
  });
});

test('a rule that could approve its author is reported, unless user, group or site exclude it or another user co-signed', () => {
  const users = [{ userId: author, usernames: ['acme\\sarah'], groups: ['Helpdesk'], siteIds: [SITES[0]!] }];
  const benefits = (fields: Partial<Rule>): string[] => {
    const findings = found([rule({ matchSigner: 'Contoso', authorIds: [author], ...fields })], { users });
    return findings.filter(({ code }) => code === 'author_benefits').flatMap(({ userIds }) => userIds ?? []);
  };
  expect(benefits({})).toEqual([author]);
  expect(benefits({ matchUser: 'ACME\\Sarah', matchAdGroup: 'helpdesk', siteId: SITES[0]! })).toEqual([
    author,
  ]);
  expect(benefits({ coSignerIds: [author] })).toEqual([author]);
  expect(benefits({ coSignerIds: [other] })).toEqual([]);
  expect(benefits({ matchUser: 'acme\\bob' })).toEqual([]);
  expect(benefits({ matchAdGroup: 'Developers' })).toEqual([]);
  expect(benefits({ siteId: SITES[1]! })).toEqual([]);
  expect(benefits({ verdict: 'auto_deny' })).toEqual([]);
  // For unknown people, nothing can be excluded.
  expect(benefits({ authorIds: [other], matchUser: 'acme\\bob' })).toEqual([other]);
  expect(codes([rule({ matchUser: 'acme\\bob' })])).toEqual(['approves_everything']);
});

describe('approvals', () => {
  const night = { start: '22:00', end: '06:00' };
  const always = { userId: author, roles: ['security'] };
  const atNight = { userId: other, roles: ['security'], windows: [night] };
  const onLeave = {
    userId: third,
    roles: [],
    away: [{ from: '2026-11-01T00:00:00Z', to: '2026-11-23T00:00:00Z' }],
  };
  const gate = (step: object): Rule =>
    rule({
      verdict: 'require_approval',
      matchResourceId: '*',
      access: {
        steps: [{ name: 'owner', quorum: 1, approverUserIds: [], approverRoles: [], ...step }],
        maxDurationMinutes: 60,
        requiresReason: true,
        oneTime: true,
        rotateOnEnd: true,
        requestTtlMinutes: 60,
      },
    });
  const approvers = [always, atNight, onLeave];

  test('a step without any possible approver is an error; one with later approvers names them and the time', () => {
    expect(found([gate({ approverRoles: ['nobody'] })], { approvers })).toMatchObject([
      { code: 'nobody_can_approve', severity: 'error', userIds: [] },
    ]);
    expect(found([gate({ quorum: 2, approverRoles: ['security'] })], { approvers })).toMatchObject([
      {
        code: 'nobody_can_approve_now',
        userIds: [author, other],
        approval: {
          step: 'owner',
          now: [author],
          next: { at: '2026-11-20T22:00:00.000Z', userIds: [author, other] },
        },
      },
    ]);
    expect(found([gate({ approverUserIds: [third] })], { approvers })[0]).toMatchObject({
      approval: { now: [], next: { at: '2026-11-23T00:00:00.000Z', userIds: [third] } },
    });
    expect(codes([gate({})], { approvers })).toEqual([]);
    expect(codes([gate({ approverUserIds: [author] })], { approvers })).toEqual(['no_reserve']);
    expect(codes([gate({ approverRoles: ['nobody'] })])).toEqual([]);
  });

  test('accounts of one person count once, and a step that only accounts with a foreign password could pass is reported', () => {
    const own = { userId: author, roles: ['security'] };
    const held = [other, third].map((userId) => ({ userId, roles: ['security'], behind: [author] }));
    const one = gate({ approverRoles: ['security'] });
    expect(codes([one], { approvers: [own, ...held] })).toEqual(['no_reserve', 'no_reserve']);
    expect(found([one], { approvers: held })).toMatchObject(
      [null, one.id].map((ruleId) => ({
        code: 'approvers_not_handed_over',
        severity: 'warning',
        ruleId,
        userIds: [other, third],
      })),
    );
    expect(codes([gate({ quorum: 2, approverRoles: ['security'] })], { approvers: held })[0]).toBe(
      'nobody_can_approve',
    );
    // A user who may not decide also excludes the accounts whose passwords that user knows.
    const requests = [{ id: 'stuck', excludedUserIds: [author] }];
    expect(found([], { approvers: [own, ...held], requests })[0]).toMatchObject({
      code: 'nobody_can_approve',
      requestId: 'stuck',
    });
  });

  test('beyond the horizon nothing is foreseen; who is disabled does not count', () => {
    const [finding] = found([gate({ approverUserIds: [third] })], { approvers, horizonDays: 2 });
    expect(finding).toMatchObject({ code: 'nobody_can_approve_now', approval: { next: null } });
    const disabled = approvers.map((approver) => ({ ...approver, active: false }));
    expect(codes([], { approvers: disabled })).toEqual(['nobody_can_approve']);
  });

  test('a pending request is reported if only its requester could approve it now', () => {
    const requests = [
      { id: 'stuck', excludedUserIds: [author] },
      { id: 'fine', excludedUserIds: [third] },
    ];
    expect(found([], { approvers, requests })).toMatchObject([
      {
        code: 'nobody_can_approve_now',
        requestId: 'stuck',
        ruleId: null,
        approval: { next: { at: '2026-11-20T22:00:00.000Z', userIds: [other] } },
      },
    ]);
    expect(found([], { approvers: [always], requests: [requests[0]!] })[0]).toMatchObject({
      code: 'nobody_can_approve',
      requestId: 'stuck',
    });
  });
});

test('thousands of rules are compared with few others', () => {
  const rules = Array.from({ length: 3_000 }, (_, n) =>
    n % 2 === 0
      ? rule({ matchPathGlob: `C:\\Apps\\app${n}\\*` })
      : rule({ matchHash: n.toString(16).padStart(64, '0') }),
  );
  const dead = rule({ matchPathGlob: 'C:\\Apps\\app42\\bin\\x.exe', priority: 200, verdict: 'auto_deny' });
  expect(found([...rules, dead])).toMatchObject([{ code: 'shadowed', ruleId: dead.id }]);
});
