import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { parseEndpoint } from './endpoint.ts';
import type { Lookup, PlatformRules } from './platform-rules.ts';
import { resolveTarget } from './resolve-target.ts';
import { publicOrListed, targetPolicy } from './target-policy.ts';

const everywhere = { cidrs: ['0.0.0.0/0', '::/0'], ports: [{ from: 1, to: 65_535 }] };
const endpoints = (...texts: string[]) => texts.map((text) => parseEndpoint(text)!);
const rules = (openTargets: string[] = [], ownServers: string[] = []): PlatformRules => ({
  openTargets: endpoints(...openTargets),
  ownServers: endpoints(...ownServers),
});
const both = (platform: PlatformRules) => [
  targetPolicy(everywhere, platform),
  publicOrListed(everywhere, platform),
];
const noLookup: Lookup = async () => {
  throw new Error('looked up');
};
const reach = async (host: string, port: number, platform: PlatformRules, lookup: Lookup = noLookup) => {
  const outcomes = await Promise.all(
    both(platform).map((policy) =>
      resolveTarget(host, port, policy, lookup).then(
        () => 'reached',
        (error: { kind: string }) => error.kind,
      ),
    ),
  );
  expect(new Set(outcomes).size).toBe(1);
  return outcomes[0];
};
const machine = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .filter(({ address }) => ipaddr.isValid(address))
  .map(({ address }) => address);

test('this machine is refused in every spelling, even if listed, until the operator opens the address', async () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', ...machine]) {
    if (ipaddr.parse(host).range() === 'linkLocal') continue;
    expect([host, await reach(host, 5432, rules())]).toEqual([host, 'not_allowed']);
  }
  const open = rules(['127.0.0.1:5432', '[::1]:5432']);
  expect(await reach('127.0.0.1', 5432, open)).toBe('reached');
  expect(await reach('::1', 5432, open)).toBe('reached');
  // A single address and a single port.
  expect(await reach('127.0.0.1', 5433, open)).toBe('not_allowed');
  expect(await reach('127.0.0.2', 5432, open)).toBe('not_allowed');
});

test("an opened address must also be in the tenant's list", async () => {
  const open = rules(['127.0.0.1:5432']);
  const elsewhere = targetPolicy({ cidrs: ['10.0.0.0/8'], ports: [5432] }, open);
  await expect(resolveTarget('127.0.0.1', 5432, elsewhere)).rejects.toMatchObject({ kind: 'not_allowed' });
  const otherPort = targetPolicy({ cidrs: ['127.0.0.0/8'], ports: [22] }, open);
  await expect(resolveTarget('127.0.0.1', 5432, otherPort)).rejects.toMatchObject({ kind: 'not_allowed' });
});

describe('own servers are never reached, even if opened', () => {
  test('their addresses, and every address of this machine with one of their ports', async () => {
    const own = rules(['127.0.0.1:6379', '10.1.2.3:6379'], ['10.1.2.3:6379', '[::1]:7101']);
    expect(await reach('10.1.2.3', 6379, own)).toBe('not_allowed');
    expect(await reach('10.1.2.3', 6380, own)).toBe('reached');
    expect(await reach('127.0.0.1', 6379, own)).toBe('not_allowed');
    for (const host of ['127.0.0.1', '::1']) expect(await reach(host, 7101, own)).toBe('not_allowed');
  });

  test('a name is resolved for each decision; if that fails, no address with its port is reached', async () => {
    const own = rules([], ['redis.internal:6379']);
    const addresses: Lookup = async (host) => [
      { address: host === 'redis.internal' ? '10.1.2.3' : '10.9.9.9' },
    ];
    expect(await reach('10.1.2.3', 6379, own, addresses)).toBe('not_allowed');
    expect(await reach('alias.example', 6379, own, async () => [{ address: '10.1.2.3' }])).toBe(
      'not_allowed',
    );
    expect(await reach('other.example', 6379, own, addresses)).toBe('reached');
    expect(await reach('10.1.2.3', 22, own)).toBe('reached');
    expect(await reach('10.4.4.4', 6379, own)).toBe('unreachable');
  });
});

test('an opened name opens its present addresses; a name that cannot be resolved opens nothing', async () => {
  const open = rules(['db.local:5432']);
  expect(await reach('127.0.0.5', 5432, open, async () => [{ address: '127.0.0.5' }])).toBe('reached');
  expect(await reach('127.0.0.5', 5432, open)).toBe('not_allowed');
});

test('metadata services, link-local, multicast and unspecified addresses cannot be opened', async () => {
  for (const host of [
    '169.254.169.254',
    '169.254.1.1',
    '100.100.100.200',
    '168.63.129.16',
    '224.0.0.1',
    '0.0.0.0',
  ])
    expect([host, await reach(host, 80, rules([`${host}:80`]))]).toEqual([host, 'not_allowed']);
  for (const host of ['fe80::1', 'fd00:ec2::254', 'ff02::1', '::'])
    expect([host, await reach(host, 80, rules([`[${host}]:80`]))]).toEqual([host, 'not_allowed']);
});

test('a policy is plain data', () => {
  for (const policy of both(rules(['127.0.0.1:22'], ['redis.internal:6379'])))
    expect(structuredClone(policy)).toEqual(policy);
});
