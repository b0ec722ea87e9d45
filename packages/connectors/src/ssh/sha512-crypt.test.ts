import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { sha512Crypt } from './sha512-crypt.ts';

test.each([1, 15, 16, 63, 64, 65, 128])('OpenSSL returns the same hash for %i characters', (length) => {
  const password = 'aZ$é9 :'.repeat(20).slice(0, length);
  const hash = sha512Crypt(password);
  const args = ['passwd', '-6', '-salt', hash.split('$')[2] ?? '', '-stdin'];
  const made = execFileSync('openssl', args, { input: `${password}\n`, encoding: 'utf8' });
  expect(hash).toBe(made.trim());
});

test('each hash has its own salt', () => {
  expect(sha512Crypt('pencil')).not.toBe(sha512Crypt('pencil'));
});
