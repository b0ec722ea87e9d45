import { expect, test } from 'vitest';
import { aboutOperation, firstSentence, toReader } from './texts.ts';

test.for([
  ['ListSites', 'Lists the sites that the caller can see.', 'list the sites that you can see'],
  ['GetTreeHead', 'Returns the newest tree head.', 'show the newest tree head'],
  ['ApplyLicense', 'Applies a license.', 'apply a license'],
  ['CoSignRule', 'Co-signs a rule.', 'co-sign a rule'],
  ['DiscloseIt', 'Discloses it.', 'disclose it'],
  ['ReadIt', 'Reads it. The caller can.', 'read it. You can.'],
  ['GetEntry', '', 'show an entry'],
  ['DeleteUser', '', 'delete a user'],
  ['ListTreeHeads', '', 'list tree heads'],
] as const)('%s with the comment "%s" is "%s"', ([name, comment, about]) => {
  expect(aboutOperation({ name, comment })).toBe(about);
});

test('options and lists of commands show the first sentence', () => {
  expect(firstSentence('At most 48 hours, e.g. 2h. The default is 1h.')).toBe('At most 48 hours, e.g. 2h');
  expect(toReader("Session to end; the caller's own when unset")).toBe('session to end; your own when unset');
});
