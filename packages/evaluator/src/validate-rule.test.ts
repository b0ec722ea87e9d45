import { expect, test } from 'vitest';
import { mergeRule, validateCriteria, validateRule } from './validate-rule.ts';

const rule = { name: 'Mozilla', verdict: 'auto_approve', matchSigner: 'Mozilla Corporation' } as const;
const HASH = 'ab'.repeat(32);
const USER = '00000000-0000-4000-8000-000000000001';
const access = {
  steps: [{ name: 'approval', quorum: 1, approverUserIds: [], approverRoles: [] }],
  maxDurationMinutes: 60,
  requiresReason: true,
  oneTime: true,
  rotateOnEnd: true,
  requestTtlMinutes: 1440,
};
const forResource = { name: 'db', verdict: 'require_approval', matchResourceId: USER, access } as const;

/** Pointers of the problems of the rule with these changes. */
const wrong = (changes: object, base: object = rule): string[] =>
  validateRule({ ...base, ...changes }).map(({ pointer }) => pointer);

test('a rule as the reference shows it is right, also with every field', () => {
  expect(wrong({ priority: 50, enabled: true, approvalDurationMinutes: 30, siteId: null })).toEqual([]);
  expect(
    wrong({
      siteId: USER,
      matchHash: HASH.toUpperCase(),
      matchPathGlob: 'C:\\Users\\*\\Downloads\\Firefox*.exe',
      matchParentImage: 'explorer.exe',
      matchUser: 'acme\\sarah',
      matchAdGroup: 'Helpdesk',
      timeWindow: { start: '22:00', end: '06:00', days: [0, 6], timezone: 'Europe/Berlin' },
    }),
  ).toEqual([]);
  expect(wrong({ matchSigner: null, matchToolName: 'restart', matchRiskTier: 0 })).toEqual([]);
  expect(wrong({}, forResource)).toEqual([]);
});

test('H-193 a rule that identifies nothing is refused, also as the result of a change', () => {
  const alone = { matchSigner: null };
  expect(wrong(alone)).toEqual(['']);
  expect(wrong({ ...alone, timeWindow: { start: '09:00', end: '10:00' } })).toEqual(['']);
  expect(wrong({ ...alone, siteId: USER })).toEqual(['']);
  expect(validateRule(mergeRule({ ...rule }, { matchSigner: null }))).not.toEqual([]);
  expect(validateRule(mergeRule({ ...rule }, { matchSigner: null, matchUser: 'acme\\sarah' }))).toEqual([]);
  expect(validateRule(mergeRule({ ...rule }, { matchToolName: 'restart' }))).not.toEqual([]);
  expect(mergeRule({ ...rule }, { matchSigner: undefined })).toEqual(rule);
});

test('H-193 shapes do not mix, and what must be decided is not ignored', () => {
  expect(wrong({ matchToolName: 'restart' })).toEqual(['/matchToolName']);
  expect(wrong({ matchHash: HASH, matchRiskTier: 2 })).toEqual(['/matchRiskTier']);
  expect(wrong({ matchResourceId: USER, access, verdict: 'require_approval' })).toEqual(['/matchResourceId']);
  expect(wrong({ matchSigner: null, matchToolName: 'restart', verdict: 'ignore' })).toEqual(['/verdict']);
  expect(wrong({ matchSigner: null, matchRiskTier: 0, verdict: 'ignore' })).toEqual(['/verdict']);
  expect(wrong({ verdict: 'ignore' }, forResource)).toEqual(['/verdict']);
  expect(wrong({ access })).toEqual(['/access']);
});

test.each<[string, object, string]>([
  ['no name', { name: undefined }, '/name'],
  ['a blank name', { name: ' ' }, '/name'],
  ['a long name', { name: 'x'.repeat(256) }, '/name'],
  ['another verdict', { verdict: 'allow' }, '/verdict'],
  ['a verdict of a prototype', { verdict: 'constructor' }, '/verdict'],
  ['half a priority', { priority: 1.5 }, '/priority'],
  ['no priority', { priority: null }, '/priority'],
  ['a word for enabled', { enabled: 'yes' }, '/enabled'],
  ['no minutes', { approvalDurationMinutes: 0 }, '/approvalDurationMinutes'],
  ['more than a day', { approvalDurationMinutes: 1441 }, '/approvalDurationMinutes'],
  ['a site that is none', { siteId: 'HQ' }, '/siteId'],
  ['an empty signer', { matchSigner: '' }, '/matchSigner'],
  ['a signer with a hidden letter', { matchSigner: 'Mozilla\u200b' }, '/matchSigner'],
  ['a short digest', { matchHash: 'ab' }, '/matchHash'],
  ['a number for a digest', { matchHash: 1 }, '/matchHash'],
  ['a long pattern', { matchPathGlob: `C:\\${'a'.repeat(510)}` }, '/matchPathGlob'],
  ['33 wildcards', { matchPathGlob: `C:\\${'*a'.repeat(33)}` }, '/matchPathGlob'],
  ['10,000 wildcards', { matchPathGlob: '*'.repeat(10_000) }, '/matchPathGlob'],
  ['a pattern with ..', { matchPathGlob: 'C:\\a\\..\\b*' }, '/matchPathGlob'],
  ['a pattern of a short name', { matchPathGlob: 'C:\\PROGRA~1\\*' }, '/matchPathGlob'],
  ['a pattern with a verbatim prefix', { matchPathGlob: '\\\\?\\C:\\*' }, '/matchPathGlob'],
  ['a pattern of a stream', { matchPathGlob: '*.exe:evil' }, '/matchPathGlob'],
  ['a pattern of a folder', { matchPathGlob: 'C:\\tools\\' }, '/matchPathGlob'],
  ['a relative parent', { matchParentImage: '..\\explorer.exe' }, '/matchParentImage'],
  ['tier 5', { matchSigner: null, matchRiskTier: 5 }, '/matchRiskTier'],
  ['a tier in words', { matchSigner: null, matchRiskTier: '2' }, '/matchRiskTier'],
  ['an unknown field', { 'match/x': 1 }, '/match~1x'],
  ['a list for a window', { timeWindow: [] }, '/timeWindow'],
  ['hour 24', { timeWindow: { start: '09:00', end: '24:00' } }, '/timeWindow/end'],
  ['no end', { timeWindow: { start: '09:00' } }, '/timeWindow/end'],
  ['an empty window', { timeWindow: { start: '09:00', end: '09:00' } }, '/timeWindow/end'],
  ['day 7', { timeWindow: { start: '09:00', end: '10:00', days: [7] } }, '/timeWindow/days/0'],
  ['a day twice', { timeWindow: { start: '09:00', end: '10:00', days: [1, 1] } }, '/timeWindow/days/1'],
  ['no days', { timeWindow: { start: '09:00', end: '10:00', days: [] } }, '/timeWindow/days'],
  ['no zone', { timeWindow: { start: '09:00', end: '10:00', timezone: 'Mars' } }, '/timeWindow/timezone'],
  ['an offset', { timeWindow: { start: '09:00', end: '10:00', timezone: '+01:00' } }, '/timeWindow/timezone'],
])('H-198 refused, naming the field: %s', (_what, changes, pointer) => {
  expect(wrong(changes)).toEqual([pointer]);
});

test('the terms of access are checked to the last field', () => {
  const terms = (changes: object): string[] => wrong({ access: { ...access, ...changes } }, forResource);
  const step = access.steps[0]!;
  expect(wrong({ access: null }, forResource)).toEqual(['/access']);
  expect(wrong({ access: null, verdict: 'auto_deny' }, forResource)).toEqual([]);
  expect(terms({ steps: [] })).toEqual(['/access/steps']);
  expect(wrong({ verdict: 'auto_approve' }, forResource)).toEqual(['/access/steps']);
  expect(terms({ steps: [{ ...step, quorum: 0 }] })).toEqual(['/access/steps/0/quorum']);
  expect(terms({ steps: [{ ...step, quorum: 2, approverUserIds: [USER] }] })).toEqual([
    '/access/steps/0/quorum',
  ]);
  expect(terms({ steps: [{ ...step, approverUserIds: ['x'] }] })).toEqual([
    '/access/steps/0/approverUserIds/0',
  ]);
  expect(terms({ maxDurationMinutes: 0, requiresReason: 1 })).toEqual([
    '/access/maxDurationMinutes',
    '/access/requiresReason',
  ]);
});

test('a value that is not an object is refused without an exception', () => {
  for (const value of [null, undefined, 1, 'x', [], true]) expect(validateRule(value)).toHaveLength(1);
  for (const value of [[], 'x', 1, { steps: 1 }, { steps: [1] }])
    expect(wrong({ access: value }, forResource).length).toBeGreaterThan(0);
});

test('criteria alone need no name and no verdict', () => {
  expect(validateCriteria({ matchSigner: 'Mozilla Corporation' })).toEqual([]);
  expect(validateCriteria({ timeWindow: { start: '09:00', end: '10:00' } })).toHaveLength(1);
});
