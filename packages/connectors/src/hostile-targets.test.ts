import { HOSTILE_ACCOUNT, hostileBehaviours, startHostileTarget } from '@claviger/targets';
import { expect, test } from 'vitest';
import { ConnectorError } from './connector-error.ts';
import { results } from './pool/messages.ts';
import { DEFAULT_OPTIONS } from './pool/pool-options.ts';
import { connectorFor } from './registry.ts';
import { loopbackContext } from './testing-context.ts';

/** Long enough to get to the stage that is played; what stalls takes all of it. */
const ctx = loopbackContext({ connectTimeoutMs: 300, operationTimeoutMs: 300 });
const { username, password } = HOSTILE_ACCOUNT;
const credential = { username, password };

test.each(hostileBehaviours)(
  'a $type target that $behaviour: each operation ends in time, with an answer of a known form',
  async ({ type, behaviour }) => {
    await using target = await startHostileTarget(type, behaviour);
    const connector = connectorFor(type);
    const cpuBefore = process.cpuUsage();
    const [tested, verified, rotated, byAdmin, discovered] = await Promise.all([
      connector.test(target.settings, credential, ctx),
      connector.verify(target.settings, { username }, password, ctx),
      connector.rotate(target.settings, { username }, { current: password, next: 'Next-Horse-8' }, ctx),
      // The settings of an API are for one way only.
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
    // Five operations and the target itself.
    expect((user + system) / 1_000).toBeLessThan(5 * DEFAULT_OPTIONS.cpuMs);
  },
);

test('a target that proves nothing never has a password accepted or a change applied', async () => {
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
