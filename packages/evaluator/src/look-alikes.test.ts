import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';
import type { ElevationFacts } from './facts.ts';
import { lint } from './lint.ts';
import { lookAlikeTexts } from './look-alike-texts.ts';
import { lookAlike, unreadable } from './look-alikes.ts';
import type { Rule } from './rule.ts';
import { compileRuleSet } from './rule-set.ts';

const LOOKS_LIKE_ANOTHER = [
  ['a Cyrillic letter in a Latin word', 'M\u043ezilla Corporation'],
  ['a Greek letter in a Latin word', 'acme\\s\u03b1rah'],
  [
    'Cyrillic letters that are all twins of Latin ones',
    'C:\\Program Files\\\u0410\u0440\u0440\u04cf\u0435\\*',
  ],
  ['letters of full width', 'acme\\\uff53arah'],
  ['bold letters', '\u{1d400}cme'],
  ['a ligature', 'O\ufb03ce'],
  ['a blank that is another one', 'Mozilla\u00a0Corporation'],
  ['an accent apart from its letter', 'Rene\u0301'],
] as const;
const READS_AS_ITSELF = [
  'Mozilla Corporation',
  'René Müller GmbH & Co. KG™',
  'Лаборатория Касперского',
  'Программа с базой',
  'АО Kaspersky Lab Россия',
  'C:\\Users\\Ελένη\\*.exe',
  '株式会社NTTデータ',
  'שלום',
];

describe('a text that could be read as another one', () => {
  test.each(LOOKS_LIKE_ANOTHER)('%s', (_what, text) => {
    expect(lookAlike(text)).toBeDefined();
    for (const field of [
      'name',
      'matchSigner',
      'matchUser',
      'matchAdGroup',
      'matchToolName',
      'matchPathGlob',
    ])
      expect(lookAlikeTexts({ [field]: text })).toMatchObject([{ pointer: `/${field}` }]);
  });
  test.each(READS_AS_ITSELF)('%s reads as itself', (text) => {
    expect(unreadable(text)).toBeUndefined();
  });
  test('every twin of a Latin letter is found in a Latin word, and plain text never is one', () => {
    for (const twin of 'аеорсухіјѕԁһӏΑΒΕοϲօսո')
      for (const word of [`pre${twin}post`, `${twin}${twin}`])
        expect([word, lookAlike(word)]).not.toEqual([word, undefined]);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(unreadable(text)).toBeUndefined();
      }),
    );
  });
});

const facts: ElevationFacts = {
  kind: 'elevation',
  flowType: 'uac_intercept',
  at: '2026-11-20T08:30:00Z',
  siteId: null,
  subjectUserId: '00000000-0000-4000-8000-000000000001',
  username: 'acme\\sarah',
  groups: [],
  path: 'C:\\Tools\\a.exe',
  hash: 'ab'.repeat(32),
  signer: 'Mozilla Corporation',
  parentImage: 'C:\\Windows\\explorer.exe',
};
const rule = (fields: Partial<Rule>): Rule => ({
  id: 'r',
  name: 'r',
  verdict: 'auto_approve',
  authorIds: [],
  ...fields,
});

test('a confusable name counts as unknown: neither its own rule nor that of the similar name decides', () => {
  const cases: [keyof ElevationFacts, Partial<Rule>, Partial<Rule>, string][] = [
    ['signer', { matchSigner: 'M\u043ezilla' }, { matchSigner: 'Mozilla' }, 'M\u043ezilla'],
    ['username', { matchUser: 'acme\\s\u0430rah' }, { matchUser: 'acme\\sarah' }, 'acme\\s\u0430rah'],
    [
      'path',
      { matchPathGlob: 'C:\\T\u043eols\\*' },
      { matchPathGlob: 'C:\\Tools\\*' },
      'C:\\T\u043eols\\a.exe',
    ],
    [
      'parentImage',
      { matchParentImage: 'c\u043ede.exe' },
      { matchParentImage: 'code.exe' },
      'C:\\c\u043ede.exe',
    ],
    ['username', { matchUser: 'acme\\sa\u200brah' }, { matchUser: 'acme\\sarah' }, 'acme\\sa\u200brah'],
  ];
  for (const [fact, itself, twin, value] of cases)
    for (const fields of [itself, twin]) {
      const asked = { ...facts, [fact]: value };
      const { verdict } = evaluate(compileRuleSet('1', [rule(fields)]), asked);
      expect([fields, verdict]).toEqual([fields, 'pending']);
    }
});

test('a stored rule keeps deciding, lint names it, and sending it again is no change', () => {
  const stored = rule({ id: 'old', name: 'M\u043ezilla', matchHash: facts.hash! });
  const set = compileRuleSet('1', [stored]);
  expect(evaluate(set, facts).verdict).toBe('auto_approved');
  expect(lint(set, { at: facts.at }).filter(({ code }) => code === 'look_alike')).toMatchObject([
    { ruleId: 'old', severity: 'warning' },
  ]);
  expect(lookAlikeTexts({ ...stored, enabled: false }, stored)).toEqual([]);
  expect(lookAlikeTexts({ ...stored, matchUser: 's\u0430rah' }, stored)).toMatchObject([
    { pointer: '/matchUser' },
  ]);
  const access = { steps: [{ name: 'appr\u043eval', approverRoles: ['m\u0430nagers'] }] };
  expect(lookAlikeTexts({ access }).map(({ pointer }) => pointer)).toEqual([
    '/access/steps/0/name',
    '/access/steps/0/approverRoles/0',
  ]);
});
