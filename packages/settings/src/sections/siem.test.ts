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
    maxMessageBytes: 8_192,
    actions: [],
    startAt: 'beginning',
  });
  expect(siem.parse({ targets: [{ ...tcp, transport: 'syslog-udp' }] }).targets[0]).toMatchObject({
    maxMessageBytes: 2_048,
  });
  expect(siem.parse({ targets: [https] }).targets[0]).not.toHaveProperty('maxMessageBytes');
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
  ['a message too short to say which event it is', { ...tcp, maxMessageBytes: 2_047 }],
  ['a message that no datagram holds', { ...tcp, transport: 'syslog-udp', maxMessageBytes: 65_508 }],
  ['a message of more than 1 MiB', { ...tcp, maxMessageBytes: 1_048_577 }],
  ['a size that is no whole number', { ...tcp, maxMessageBytes: 4_096.5 }],
  ['a size of messages over HTTPS', { ...https, maxMessageBytes: 8_192 }],
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
