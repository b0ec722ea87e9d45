import { HOSTILE_ACCOUNT, type HostileType, hostileBehaviours, startHostileTarget } from '@claviger/targets';
import { expect, test } from 'vitest';
import { ConnectorError } from './connector-error.ts';
import { results } from './pool/messages.ts';
import { DEFAULT_OPTIONS } from './pool/pool-options.ts';
import { connectorFor } from './registry.ts';
import { loopbackContext } from './testing-context.ts';

/** Long enough to reach the hostile stage; a target that stalls uses all of this time. */
const ctx = loopbackContext({ connectTimeoutMs: 300, operationTimeoutMs: 300 });
const { username, password } = HOSTILE_ACCOUNT;
const credential = { username, password };

test.each(hostileBehaviours)(
  'a $type target that $behaviour: each operation ends in time, with a result of the declared form',
  async ({ type, behaviour }) => {
    await using target = await startHostileTarget(type, behaviour);
    const connector = connectorFor(type);
    const cpuBefore = process.cpuUsage();
    const [tested, verified, rotated, byAdmin, discovered] = await Promise.all([
      connector.test(target.settings, credential, ctx),
      connector.verify(target.settings, { username }, password, ctx),
      connector.rotate(target.settings, { username }, { current: password, next: 'Next-Horse-8' }, ctx),
      // The settings of an API describe only one way to change a password.
      type === 'http'
        ? undefined
        : connector.rotate(
            { ...target.settings, rotateAs: 'admin' },
            { username },
            { next: 'Next-Horse-8', admin: credential },
            ctx,
          ),
      connector.discover(target.settings, credential, ctx).catch((error: unknown) => error),
    ]);
    const { user, system } = process.cpuUsage(cpuBefore);
    results.test.parse(tested);
    results.verify.parse(verified);
    results.rotate.parse(rotated);
    results.rotate.optional().parse(byAdmin);
    if (!(discovered instanceof ConnectorError)) results.accounts.parse(discovered);
    // The CPU time includes five operations and the target itself.
    expect((user + system) / 1_000).toBeLessThan(5 * DEFAULT_OPTIONS.cpuMs);
  },
);

test('a target that checks no password gives `unknown`', async () => {
  for (const { type, behaviour } of hostileBehaviours.filter(({ behaviour }) =>
    /^(?:says|hangs up at once|drips its|floods|greets)/.test(behaviour),
  )) {
    await using target = await startHostileTarget(type, behaviour);
    const connector = connectorFor(type);
    const quick = { ...ctx, operationTimeoutMs: 200 };
    const verified = await connector.verify(target.settings, { username }, password, quick);
    expect([type, behaviour, verified.outcome]).toEqual([type, behaviour, 'unknown']);
  }
});

const limits: readonly (readonly [HostileType, string, string])[] = [
  ['postgres', 'declares a message of a gigabyte', 'a message of 1073741825 bytes'],
  ['postgres', 'answers a statement with rows for ever', 'more than 100000 messages'],
  ['postgres', 'answers a statement with rows of a megabyte', 'more than 16777216 bytes'],
  ['postgres', 'wants two thousand million rounds of SCRAM', 'broke during login'],
  ['mysql', 'sends a packet of sixteen megabytes after the other', 'a message of 16777219 bytes'],
  ['mysql', 'answers a statement with rows for ever', 'more than 100000 messages'],
  ['mysql', 'answers a statement with rows of a megabyte', 'more than 16777216 bytes'],
  ['ldap', 'declares a message of a gigabyte', 'a message of 1073741830 bytes'],
  ['ldap', 'answers with entries for ever', 'more than 100000 messages'],
  ['ldap', 'answers with pages for ever', 'more than 1000 pages'],
  ['ldap', 'floods blanks', 'does not use the LDAP protocol'],
  ['ssh', 'writes for ever', 'ended while reading accounts'],
  ['ssh', 'writes a line of blanks for ever', 'ended while reading accounts'],
];

test.each(limits)(
  'a %s target that %s exceeds a limit before the time limit: %s',
  async (type, behaviour, said) => {
    await using target = await startHostileTarget(type, behaviour);
    const discovering = connectorFor(type).discover(target.settings, credential, loopbackContext());
    await expect(discovering).rejects.toThrow(said);
  },
);

test.each([
  ['sends interim answers for ever', 'too many interim answers'],
  ['sends headers for ever', 'HPE_HEADER_OVERFLOW'],
  ['sends a body for ever', 'longer than 262144 bytes'],
])('an http target that %s exceeds a limit before the time limit: %s', async (behaviour, said) => {
  await using target = await startHostileTarget('http', behaviour);
  const verified = await connectorFor('http').verify(
    target.settings,
    { username },
    password,
    loopbackContext(),
  );
  expect(verified).toMatchObject({ outcome: 'unknown', reason: expect.stringContaining(said) });
});

test('for accounts with thousands of groups, the list of groups is cut, and `privileged` is still correct', async () => {
  await using host = await startHostileTarget('ssh', 'lists thousands of accounts in thousands of groups');
  const found = await connectorFor('ssh').discover(host.settings, credential, loopbackContext());
  expect(found).toHaveLength(15_000);
  expect(Math.max(...found.map(({ details }) => details.groups?.length ?? 0))).toBeLessThanOrEqual(2_001);
  await using directory = await startHostileTarget('ldap', 'answers with accounts in thousands of groups');
  const people = await connectorFor('ldap').discover(directory.settings, credential, loopbackContext());
  expect(people).toHaveLength(15);
  expect(people.every(({ privileged }) => privileged)).toBe(true);
});
