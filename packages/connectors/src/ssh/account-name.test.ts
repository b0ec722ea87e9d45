import { expect, test } from 'vitest';
import { isAccountName } from './account-name.ts';

test.each([
  'root',
  '_apt',
  'HOST$',
  'ann@corp.example',
  'CORP\\ann',
  'CORP+ann',
  'CORP/ann',
  'Domain Admin',
  "pat.o'brien",
  'r&d (emea)',
  'Jürgen Groß',
  'Ju\u0308rgen',
  '山田太郎@corp',
  '9lives',
])('%j may be an account', (name) => {
  expect(isAccountName(name)).toBe(true);
});

test.each([
  '',
  ' ',
  'a ',
  ' a',
  '-x',
  'a:b',
  'a\nb',
  'a\0b',
  'a\u200bb',
  'a\u202eb',
  '$(id)',
  'a$b',
  'a;b',
  'a|b',
  '`id`',
  '/etc',
  '../x',
  'a,b',
  'a'.repeat(257),
])('%j is none', (name) => {
  expect(isAccountName(name)).toBe(false);
});
