import { expect, test } from 'vitest';
import { z } from 'zod';
import { MASK, maskSecrets, mergeMasked, revealSecrets } from './secrets.ts';
import { setting } from './section.ts';

const item = z.strictObject({ name: z.string(), url: z.string(), token: z.string() });
const list = setting({
  scope: 'tenant',
  schema: z.array(item),
  default: [],
  secret: ['*.token'],
  secretFor: ['url'],
  description: '',
});
const text = setting({ scope: 'tenant', schema: z.string(), default: '', secret: true, description: '' });
const stored = [
  { name: 'a', url: 'https://a', token: 'secret-a' },
  { name: 'b', url: 'https://b', token: 'secret-b' },
  { name: 'c', url: 'https://c', token: '' },
];

test('a masked value contains no secret, and its secrets restore it', () => {
  const { masked, secrets } = maskSecrets(list, stored);
  expect(JSON.stringify(masked)).not.toContain('secret-');
  expect(masked).toMatchObject([{ token: MASK }, { token: MASK }, { token: '' }]);
  expect(revealSecrets(list, masked, secrets)).toEqual(stored);
  const whole = maskSecrets(text, 'secret');
  expect(whole).toEqual({ masked: MASK, secrets: { '': 'secret' } });
  expect(revealSecrets(text, whole.masked, whole.secrets)).toBe('secret');
});

test('returned masks mean unchanged secrets, also after items were moved or removed', () => {
  const { masked } = maskSecrets(list, stored);
  expect(mergeMasked(list, masked, stored)).toMatchObject({ value: stored, problems: [] });
  const [a, b] = masked as object[];
  expect(mergeMasked(list, [b, a], stored).value).toEqual([stored[1], stored[0]]);
  expect(mergeMasked(list, [b], stored).value).toEqual([stored[1]]);
  expect(mergeMasked(text, MASK, 'secret')).toMatchObject({ value: 'secret', kept: [''] });
});

test('a mask without a stored secret is a problem', () => {
  const anonymous = [{ url: 'https://a', token: MASK }];
  const unknown = [{ name: 'd', url: 'https://a', token: MASK }];
  const empty = [{ name: 'c', url: 'https://c', token: MASK }];
  for (const value of [anonymous, unknown, empty]) {
    expect(mergeMasked(list, value, stored).problems).toMatchObject([{ pointer: '/0/token' }]);
  }
  expect(mergeMasked(text, MASK, '').problems).toMatchObject([{ pointer: '' }]);
});

test('a stored secret is not sent to a new destination', () => {
  const moved = [{ name: 'a', url: 'https://evil', token: MASK }];
  expect(mergeMasked(list, moved, stored).problems).toMatchObject([
    { pointer: '/0/token', detail: expect.stringContaining('url') },
  ]);
  expect(mergeMasked(list, [{ ...moved[0], token: 'new' }], stored).problems).toEqual([]);
});
