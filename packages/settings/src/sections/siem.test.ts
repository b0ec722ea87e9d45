import { expect, test } from 'vitest';
import { MASK, mergeMasked } from '../secrets.ts';
import { siem } from './siem.ts';

const tcp = { name: 'soc', transport: 'syslog-tcp', host: 'siem.example', port: 601 };
const https = { name: 'soc', transport: 'https', url: 'https://siem.example/events' };

test('a target needs little, and the rest has defaults', () => {
  expect(siem.parse({ targets: [tcp] }).targets[0]).toEqual({
    ...tcp,
    enabled: true,
    format: 'json',
    facility: 13,
    actions: [],
    startAt: 'beginning',
  });
  expect(siem.defaults.targets).toEqual([]);
});

test.each([
  ['user info in the URL (H-236)', { ...https, url: 'https://user:secret@siem.example/' }],
  ['a user name alone (H-236)', { ...https, url: 'https://user@siem.example/' }],
  ['plain http', { ...https, url: 'http://siem.example/' }],
  ['a line break in the URL', { ...https, url: 'https://siem.example/\r\nx: y' }],
  ['a line break in the token', { ...https, token: 'a\r\nx: y' }],
  ['CEF over HTTPS', { ...https, format: 'cef' }],
  ['a host with a port', { ...tcp, host: 'siem.example/x' }],
  ['a CA that is none', { ...tcp, transport: 'syslog-tls', ca: 'x' }],
  ['a token where none is sent', { ...tcp, token: 'x' }],
  ['an unknown transport', { ...tcp, transport: 'relp' }],
  ['a name with a line break', { ...tcp, name: 'a\nb' }],
])('refused: %s', (_, target) => {
  expect(siem.problems({ targets: [target] })).toHaveLength(1);
});

test('two targets of one name are refused: they would share their place in the log', () => {
  expect(siem.problems({ targets: [tcp, tcp] })[0]!.detail).toBe('names a target twice');
});

test('a stored token goes neither to another address nor to whom another authority vouches for', () => {
  const key = siem.keys.targets;
  const stored = siem.parse({ targets: [{ ...https, token: 'secret' }] }).targets;
  const merged = (change: object) => mergeMasked(key, [{ ...https, token: MASK, ...change }], stored);
  expect(merged({ actions: ['vault.'] })).toMatchObject({ problems: [], value: [{ token: 'secret' }] });
  for (const change of [{ url: 'https://mine.example/' }, { ca: 'an authority of mine' }]) {
    expect(merged(change).problems).toMatchObject([{ pointer: '/0/token' }]);
    expect(JSON.stringify(merged(change).value)).not.toContain('secret');
  }
});
