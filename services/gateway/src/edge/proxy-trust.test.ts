import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createProxyTrust } from './proxy-trust.ts';

const PUBLIC = 'https://pam.example.org:7101';

function request(from: string, headers: Record<string, string>, localAddress = '10.1.2.3'): IncomingMessage {
  return { headers, socket: { remoteAddress: from, localAddress } } as unknown as IncomingMessage;
}

describe('the address of a client', () => {
  const proxyTrust = createProxyTrust({ publicUrl: PUBLIC, trustedProxies: ['10.0.0.0/8', 'fd00::/8'] });
  const seen = (from: string, forwarded: string): string =>
    proxyTrust.clientAddress(request(from, { 'x-forwarded-for': forwarded }));

  it.each([
    ['a peer that is not a proxy', '192.0.2.9', '1.2.3.4', '192.0.2.9'],
    ['an address forged by the client, behind a proxy', '10.0.0.1', '1.2.3.4, 198.51.100.7', '198.51.100.7'],
    ['two proxies in a row', '10.0.0.1', '198.51.100.7, 10.0.0.2', '198.51.100.7'],
    ['proxies only', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['an entry that is not an address', '10.0.0.1', '198.51.100.7, unknown, 10.0.0.2', '10.0.0.2'],
    ['an entry with a port', '10.0.0.1', '198.51.100.7:4711', '198.51.100.7'],
    ['an IPv6 entry in brackets', '10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['an IPv6 proxy', 'fd00::1', '198.51.100.7', '198.51.100.7'],
    ['a proxy that a socket shows as IPv6', '::ffff:10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['an IPv4-mapped IPv6 entry', '10.0.0.1', '::ffff:198.51.100.7', '198.51.100.7'],
    ['an empty list', '10.0.0.1', '', '10.0.0.1'],
  ])('H-005 %s', (_, from, forwarded, expected) => {
    expect(seen(from, forwarded)).toBe(expected);
  });

  it('is the address of the peer without trusted proxies', () => {
    const bare = createProxyTrust({ publicUrl: PUBLIC });
    expect(bare.clientAddress(request('127.0.0.1', { 'x-forwarded-for': '1.2.3.4' }))).toBe('127.0.0.1');
  });
});

describe('the host of a request', () => {
  const proxyTrust = createProxyTrust({
    publicUrl: PUBLIC,
    hosts: ['pam.internal'],
    trustedProxies: ['10.0.0.0/8'],
  });
  const ours = (host: string, extra: Record<string, string> = {}, from = '192.0.2.9'): boolean =>
    proxyTrust.isOurs(request(from, { host, ...extra }));

  it.each([
    'pam.example.org',
    'PAM.example.org:7101',
    'pam.example.org.',
    'pam.internal:443',
    'localhost:7101',
    '127.0.0.1:7101',
    '[::1]:7101',
    '10.1.2.3:7101',
  ])('%s is a host of this server', (host) => {
    expect(ours(host)).toBe(true);
  });

  it.each([
    'evil.test',
    'pam.example.org.evil.test',
    'localhost.evil.test',
    'localhost/evil.test',
    'localhost@evil.test',
    'evil.test#localhost',
    '10.1.2.4',
    '',
  ])('H-012 "%s" is not a host of this server', (host) => {
    expect(ours(host)).toBe(false);
  });

  it('is taken from a trusted proxy only', () => {
    const forwarded = { 'x-forwarded-host': 'pam.example.org' };
    expect(ours('backend:8443', forwarded, '10.0.0.1')).toBe(true);
    expect(ours('backend:8443', forwarded)).toBe(false);
    expect(ours('pam.example.org', { 'x-forwarded-host': 'evil.test' })).toBe(true);
    expect(ours('pam.example.org', { 'x-forwarded-host': 'evil.test' }, '10.0.0.1')).toBe(false);
  });
});
