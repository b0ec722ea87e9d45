import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import type { PlatformRules } from './platform-rules.ts';
import { publicOrListed, refusalOf, type TargetPolicy } from './target-policy.ts';

const closed: PlatformRules = { ownServers: [], openTargets: [] };
const permits = async (policy: TargetPolicy, address: string, port = 443) =>
  (await refusalOf(policy, [ipaddr.parse(address)], port)) === undefined;

test('H-233 only public addresses may be reached', async () => {
  const policy = publicOrListed({}, closed);
  for (const address of ['1.1.1.1', '8.8.8.8', '2606:4700:4700::1111', '64:ff9b::808:808'])
    expect([address, await permits(policy, address)]).toEqual([address, true]);
  for (const address of [
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '198.18.0.1',
    '203.0.113.1',
    '240.0.0.1',
    '224.0.0.1',
    '::1',
    '::',
    'fc00::1',
    'fe80::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1:7f00:0:100::',
    '2002:7f00:1::',
    '2001:0:a00:1::f5ff:fffe',
    '2001:db8::1',
    '4000::1',
  ])
    expect([address, await permits(policy, address)]).toEqual([address, false]);
});

test('listed and opened addresses are allowed too, except metadata services', async () => {
  const open = { ownServers: [], openTargets: [{ host: '127.0.0.1', from: 6514, to: 6514 }] };
  const policy = publicOrListed(
    { cidrs: ['10.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16'], ports: [6514] },
    open,
  );
  expect(await permits(policy, '10.1.2.3', 6514)).toBe(true);
  expect(await permits(policy, '127.0.0.1', 6514)).toBe(true);
  expect(await permits(policy, '127.0.0.2', 6514)).toBe(false);
  expect(await permits(publicOrListed({}, open), '127.0.0.1', 6514)).toBe(true);
  expect(await permits(policy, '10.1.2.3', 443)).toBe(false);
  expect(await permits(policy, '192.168.0.1', 6514)).toBe(false);
  expect(await permits(policy, '169.254.169.254', 6514)).toBe(false);
});

test('the addresses of this machine are not reached', async () => {
  const policy = publicOrListed({}, closed);
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const { address } of own.filter((each) => ipaddr.isValid(each.address)))
    expect(await permits(policy, address)).toBe(false);
});
