import { targetPolicy } from '@claviger/outbound';
import { openLoopback } from '@claviger/targets';
import { expect, test } from 'vitest';
import { connectorTypes } from './config-schemas.ts';
import { connectorFor } from './registry.ts';

const ctx = {
  signal: new AbortController().signal,
  connectTimeoutMs: 5000,
  operationTimeoutMs: 30_000,
  allow: targetPolicy({ cidrs: [], ports: [] }, openLoopback),
};

test('each connector is found by its name; the error for an unknown name lists the known names', () => {
  expect(connectorTypes).toEqual(['http', 'ldap', 'mysql', 'postgres', 'ssh']);
  for (const type of connectorTypes) expect(connectorFor(type).type).toBe(type);
  for (const type of ['oracle', '__proto__', 'constructor', ''])
    expect(() => connectorFor(type)).toThrow(
      expect.objectContaining({ kind: 'configuration', hint: expect.stringContaining('postgres, ssh') }),
    );
});

test.each([
  ['ssh', { host: '-oProxyCommand=touch /tmp/x' }],
  ['ssh', { host: 'h', user: '$(id)' }],
  ['ssh', { host: 'h', unknown: 1 }],
  ['ssh', { host: 'h', hostKeys: ['MD5:00'] }],
  ['mysql', { host: '/run/mysqld/mysqld.sock', tls: { mode: 'disable' } }],
  ['http', { host: 'h' }],
  ['ldap', { host: 'h' }],
  ['ldap', { host: '-oProxyCommand=id', tls: { mode: 'disable' } }],
  ['mysql', { host: 'h' }],
  ['mysql', { host: '-oProxyCommand=id', tls: { mode: 'disable' } }],
  ['postgres', { host: '/var/run/postgresql', tls: { mode: 'disable' } }],
  ['postgres', { host: 'h' }],
  ['postgres', { host: 'h', tls: { mode: 'require' } }],
  ['postgres', { host: 'h', tls: { mode: 'verify-full', ca: 'none' } }],
  ['postgres', { host: 'h', database: 'a\0b', tls: { mode: 'disable' } }],
])(
  'H-239 H-253 unusable settings of a %s target are refused before anything is done: %j',
  async (type, config) => {
    await expect(connectorFor(type).verify(config, { username: 'a' }, 's', ctx)).rejects.toMatchObject({
      kind: 'configuration',
    });
  },
);
