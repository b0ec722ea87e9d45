import { expect, test } from 'vitest';
import { MASK, mergeMasked } from '../secrets.ts';
import { siem } from './siem.ts';

const tcp = { name: 'soc', transport: 'syslog-tcp', host: 'siem.example', port: 601 };
const https = { name: 'soc', transport: 'https', url: 'https://siem.example/events' };

test('a destination has few required fields; the rest have defaults', () => {
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
  ['an invalid CA', { ...tcp, transport: 'syslog-tls', ca: 'x' }],
  ['a token for a transport without tokens', { ...tcp, token: 'x' }],
  ['an unknown transport', { ...tcp, transport: 'relp' }],
  ['a message size too small to identify the event', { ...tcp, maxMessageBytes: 2_047 }],
  ['a message size larger than a datagram', { ...tcp, transport: 'syslog-udp', maxMessageBytes: 65_508 }],
  ['a message size of more than 1 MiB', { ...tcp, maxMessageBytes: 1_048_577 }],
  ['a size that is not a whole number', { ...tcp, maxMessageBytes: 4_096.5 }],
  ['a message size for HTTPS', { ...https, maxMessageBytes: 8_192 }],
  ['a name with a line break', { ...tcp, name: 'a\nb' }],
])('refused: %s', (_, target) => {
  expect(siem.problems({ targets: [target] })).toHaveLength(1);
});

test('two destinations with one name are refused: they would share their position in the log', () => {
  expect(siem.problems({ targets: [tcp, tcp] })[0]!.detail).toBe('has two destinations with the same name');
});

test('a stored token is sent neither to another address nor to a server of another CA', () => {
  const key = siem.keys.targets;
  const stored = siem.parse({ targets: [{ ...https, token: 'secret' }] }).targets;
  const merged = (change: object) => mergeMasked(key, [{ ...https, token: MASK, ...change }], stored);
  expect(merged({ actions: ['vault.'] })).toMatchObject({ problems: [], value: [{ token: 'secret' }] });
  for (const change of [{ url: 'https://mine.example/' }, { ca: 'a CA of mine' }]) {
    expect(merged(change).problems).toMatchObject([{ pointer: '/0/token' }]);
    expect(JSON.stringify(merged(change).value)).not.toContain('secret');
  }
});
