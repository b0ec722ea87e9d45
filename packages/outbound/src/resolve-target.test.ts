import { openLoopback } from '@claviger/targets';
import { describe, expect, test } from 'vitest';
import { type Lookup, resolveTarget } from './resolve-target.ts';
import { targetPolicy } from './target-policy.ts';

const everywhere = targetPolicy(
  { cidrs: ['0.0.0.0/0', '::/0'], ports: [{ from: 1, to: 65535 }] },
  openLoopback,
);
const tenNet = targetPolicy({ cidrs: ['10.0.0.0/8'], ports: [22, { from: 5432, to: 5439 }] }, openLoopback);
const answers =
  (...addresses: string[]): Lookup =>
  async () =>
    addresses.map((address) => ({ address }));

describe('H-233 H-239 an invalid host is refused under every policy', () => {
  test.each([
    '127.1',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    '0',
    '0x',
    'a.0x7f',
    'localhost.',
    '①②⑦.⓪.⓪.①',
    '[::1]',
    '/var/run/postgresql',
    './socket',
    '@abstract',
    'user@host',
    'user:secret@host',
    'host:22',
    'http://host',
    '-oProxyCommand=id',
    'a.-b',
    '$(id)',
    'a b',
    'a\nb',
    'a\0b',
    '',
    '.',
    'a..b',
    'fe80::1%eth0',
    '*',
    'ho/st',
    `${'a'.repeat(64)}.example`,
    '%31%32%37.1',
  ])('%j', async (host) => {
    await expect(resolveTarget(host, 22, everywhere, answers('10.0.0.1'))).rejects.toMatchObject({
      kind: 'configuration',
    });
  });
});

describe('H-233 an address that is not listed is refused in every spelling', () => {
  test.each([
    '127.0.0.1',
    '192.168.1.1',
    '8.8.8.8',
    '::1',
    '::ffff:7f00:1',
    '::ffff:127.0.0.1',
    '::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::7f00:1',
    '64:ff9b:1:7f00:0:100::',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
    '2001:0:7f00:1::f5ff:fffe',
    '2001:0:a00:1::80ff:fffe',
  ])('%s', async (host) => {
    await expect(resolveTarget(host, 22, tenNet)).rejects.toMatchObject({ kind: 'not_allowed' });
  });
});

describe('metadata services and special addresses are refused even if everything is listed', () => {
  test.each([
    '0.0.0.0',
    '::',
    '169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
    '::ffff:169.254.169.254',
    'fe80::1',
    '224.0.0.1',
    'ff02::1',
    '255.255.255.255',
    '240.0.0.1',
    'fd00:ec2::254',
    '100.100.100.200',
  ])('%s', async (host) => {
    await expect(resolveTarget(host, 22, everywhere)).rejects.toMatchObject({ kind: 'not_allowed' });
  });
});

test('a listed address is returned in canonical form', async () => {
  expect((await resolveTarget('10.1.2.3', 22, tenNet)).addresses).toEqual(['10.1.2.3']);
  expect((await resolveTarget('::ffff:10.1.2.3', 22, tenNet)).addresses).toEqual(['10.1.2.3']);
  expect((await resolveTarget('::10.1.2.3', 22, tenNet)).addresses).toEqual(['10.1.2.3']);
  expect((await resolveTarget('64:ff9b::a01:203', 22, tenNet)).addresses).toEqual(['64:ff9b::a01:203']);
});

test('H-232 a name is looked up once, and all of its addresses must be listed', async () => {
  let lookups = 0;
  const rebinding: Lookup = async () => {
    lookups += 1;
    return [{ address: lookups === 1 ? '10.0.0.5' : '127.0.0.1' }];
  };
  expect((await resolveTarget('DB.Example', 5432, tenNet, rebinding)).addresses).toEqual(['10.0.0.5']);
  expect(lookups).toBe(1);
  await expect(
    resolveTarget('db.example', 22, tenNet, answers('10.0.0.5', '127.0.0.1')),
  ).rejects.toMatchObject({
    kind: 'not_allowed',
  });
  await expect(resolveTarget('db.example', 22, tenNet, answers('10.0.0.5', '::1'))).rejects.toMatchObject({
    kind: 'not_allowed',
  });
});

test('ports outside the list are refused, and so are invalid ports', async () => {
  await expect(resolveTarget('10.0.0.1', 5440, tenNet)).rejects.toMatchObject({ kind: 'not_allowed' });
  expect((await resolveTarget('10.0.0.1', 5439, tenNet)).port).toBe(5439);
  for (const port of [0, -1, 65536, 22.5, Number.NaN])
    await expect(resolveTarget('10.0.0.1', port, everywhere)).rejects.toMatchObject({
      kind: 'configuration',
    });
});

test('a name without an address is unreachable, not refused', async () => {
  await expect(resolveTarget('db.example', 22, tenNet, answers())).rejects.toMatchObject({
    kind: 'unreachable',
  });
  const failing: Lookup = async () => {
    throw new Error('SERVFAIL');
  };
  await expect(resolveTarget('db.example', 22, tenNet, failing)).rejects.toMatchObject({
    kind: 'unreachable',
  });
});

test('an empty list allows nothing, and a list that cannot be read is an error', async () => {
  const nothing = targetPolicy({ cidrs: [], ports: [22] }, openLoopback);
  await expect(resolveTarget('10.0.0.1', 22, nothing)).rejects.toMatchObject({ kind: 'not_allowed' });
  expect(() => targetPolicy({ cidrs: ['10.0.0.0'], ports: [] }, openLoopback)).toThrow(/not a CIDR/);
  expect(() => targetPolicy({ cidrs: [], ports: [{ from: 30, to: 20 }] }, openLoopback)).toThrow(
    /not a range/,
  );
});
