import { expect, test } from 'vitest';
import { hostMatches, hostTaken } from './account-host.ts';

test.each<[string, string, boolean | undefined]>([
  ['%', '10.1.2.3', true],
  ['10.%', '10.1.2.3', true],
  ['10.%.3', '10.1.2.3', true],
  ['10.1.2._', '10.1.2.3', true],
  ['10.1.2._', '10.1.2.33', false],
  ['10.%', '127.0.0.1', false],
  ['10.0.0.0/255.0.0.0', '10.1.2.3', true],
  ['10.0.0.0/255.0.0.0', '11.1.2.3', false],
  ['localhost', '127.0.0.1', false],
  ['localhost', 'localhost', true],
  ['%.example.org', 'DB.Example.org', true],
  ['%.example.org', 'example.org', false],
  ['10.%', 'vault.example.org', undefined],
  ['10.0.0.0/255.0.0.0', 'vault.example.org', undefined],
  ['::1', '::1', true],
  ['', '10.1.2.3', false],
  ['%x%x%x%x%x%x%x%x%x%x%x%x%y', 'x'.repeat(250), false],
])('the host part %j and a login from %j: %j', (pattern, peer, expected) => {
  expect(hostMatches(pattern, peer)).toBe(expected);
});

test('the login uses the account with the most specific host part', () => {
  expect(hostTaken(['%', '10.%', '10.1.2.3', '11.1.2.3'], '10.1.2.3')).toBe('10.1.2.3');
  expect(hostTaken(['%', '10.1.%', '10.%'], '10.1.2.3')).toBe('10.1.%');
  expect(hostTaken(['11.%'], '10.1.2.3')).toBeUndefined();
});
