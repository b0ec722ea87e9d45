import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { codeOf } from '../../test-support.ts';
import { HASH_FLOOR } from '../config.ts';
import { canonicalLogin } from './canonical-login.ts';
import { createPasswordHasher } from './password-hasher.ts';
import { checkNewPassword } from './password-rules.ts';

const options = { ...HASH_FLOOR, concurrency: 2, waiting: 2, pepper: randomBytes(32) };

test('names that look the same have one canonical form, which is stable', () => {
  for (const name of ['Alice', 'ALICE', 'ａｌｉｃｅ']) expect(canonicalLogin(name)).toBe('alice');
  expect(canonicalLogin('Straße')).toBe(canonicalLogin('STRASSE'));
  expect(canonicalLogin('Å')).toBe(canonicalLogin('A\u030a'));
  for (const name of ['Straße', 'ΣΊΣΥΦΟΣ', 'ﬁona', 'İnci', 'alice@corp.local']) {
    expect(canonicalLogin(canonicalLogin(name))).toBe(canonicalLogin(name));
  }
});

test.each([
  '',
  ' a',
  'a ',
  'a b',
  'a\u00a0b',
  'a\u200bb',
  'a\ufeff',
  'a\u0000',
  'a\nb',
  'a\u202eb',
  'x'.repeat(257),
])('the name %j is refused', (name) => {
  expect(() => canonicalLogin(name)).toThrow();
});

test.each([
  ['elevenchars', 'short'],
  ['a'.repeat(257), 'long'],
  ['aaaaaaaaaaaaaa', 'one character'],
  ['Password-1234', 'common'],
  ['QwertyUiop123', 'common in another case'],
  ['mallory.mallory', 'the name twice'],
  ['with\u0007bell character', 'a control'],
])('the password %j is refused', (password) => {
  expect(() => checkNewPassword(password, 'mallory', '/password')).toThrow('not valid');
});

test('passphrases and other scripts are accepted, counted in characters', () => {
  checkNewPassword('four random words here', 'mallory', '/password');
  checkNewPassword('пароль подлиннее', 'mallory', '/password');
  checkNewPassword('🐢🦊🐙🦉🐝🦋🐌🐞🦀🐡🐬🐳', 'mallory', '/password');
});

test('a hash matches only its password with its pepper, in every Unicode composition', async () => {
  const hasher = await createPasswordHasher(options);
  const phc = await hasher.hash('Mu\u0308ller geht nach Hause');
  expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await hasher.verify(phc, 'M\u00fcller geht nach Hause')).toBe(true);
  expect(await hasher.verify(phc, 'Müller geht nach haus')).toBe(false);
  expect(await hasher.verify(undefined, 'Müller geht nach Hause')).toBe(false);
  const other = await createPasswordHasher({ ...options, passes: 3, pepper: randomBytes(32) });
  expect(await other.verify(phc, 'Müller geht nach Hause')).toBe(false);
  expect(hasher.isOutdated(phc)).toBe(false);
  expect(other.isOutdated(phc)).toBe(true);
});

test('two hashes run, two wait, and further ones are refused as unavailable', async () => {
  const hasher = await createPasswordHasher(options);
  const codes = await Promise.all(
    Array.from({ length: 10 }, (_, i) => codeOf(hasher.hash(`a password of many ${i}`))),
  );
  expect(codes.filter((code) => code === 'ok')).toHaveLength(4);
  expect(codes.filter((code) => code === 'sign_in_busy')).toHaveLength(6);
  expect(await codeOf(hasher.hash('and afterwards again'))).toBe('ok');
});
