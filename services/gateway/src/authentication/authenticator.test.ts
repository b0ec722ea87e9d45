import { randomUUID } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import { expect, it } from 'vitest';
import type { Gate } from '../limits/gate.ts';
import { createLimitKeys } from '../limits/limit-keys.ts';
import { createTiers } from '../limits/tiers.ts';
import { createActorTokens } from './actor-tokens.ts';
import { authRequirements, createAuthenticator } from './authenticator.ts';

const keys = createLimitKeys('secret');
const tiers = createTiers({
  standardBurst: 20,
  tenantPerMinute: 6_000,
  anonymousPerMinute: 600,
  disclosuresPerMinute: 60,
  disclosuresPerDay: 500,
});
const CALL = { requestId: 'r', sourceAddress: '192.0.2.1' };

it('counts a refused token against no limit of its device and tenant until it is valid again', async () => {
  const [sessionId, userId, tenantId] = [randomUUID(), randomUUID(), randomUUID()];
  let lives = true;
  const counted: string[][] = [];
  // This test checks which limits are counted; the tests of the edge cover Redis.
  const gate: Pick<Gate, 'check' | 'giveBack'> = {
    check: async (limits) => {
      // Invalid tokens also count against their address.
      const keys = limits.map(({ key }) => key).filter((key) => !/:(?:a:|anonymous)/.test(key));
      if (keys.length > 0) counted.push(keys);
      return { limit: undefined, live: undefined };
    },
    giveBack: async () => {},
  };
  const authenticator = createAuthenticator({
    reportAnomaly: () => {},
    verifyAccessToken: async () => undefined,
    actorTokens: createActorTokens(),
    gate: gate as Gate,
    keys,
    tiers,
    replicas: 1,
    introspect: async () => {
      if (!lives)
        throw new ClavigerError('unauthenticated', 'The token of this agent does not work any more.');
      return { actorToken: 'a', expiresAtMs: 0, epoch: '1', sessionId, userId, tenantId, mfaPending: false };
    },
  });
  const show = async (): Promise<readonly string[]> => {
    const required = authRequirements(['workflow'], false, tiers.agent);
    await authenticator.authenticate({ kind: 'agent-token', token: 'cla_x' }, required, CALL).catch(() => {});
    return counted.at(-1)!;
  };
  const ofDevice = [keys.device('agent', tenantId, userId), keys.tenant(tenantId)];
  const itsOwn = [keys.token('agent', sessionId)];
  expect(await show()).toEqual(ofDevice);
  lives = false;
  // The token is unknown.
  expect(await show()).toEqual(ofDevice);
  expect(await show()).toEqual(itsOwn);
  expect(await show()).toEqual(itsOwn);
  lives = true;
  expect(await show()).toEqual(itsOwn);
  expect(await show()).toEqual(ofDevice);
});
