import { connectNetwork, enrolSecondFactor, eventually, type Network } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

let network: Network;
beforeAll(() => {
  network = connectNetwork(inject('network'));
});
afterAll(() => network?.[Symbol.asyncDispose]());

test('every service shows the history of its schema, and every replica its version', async () => {
  const platform = (await network.createPlatformAdministrator()).client;
  const status = await eventually(async () => {
    const answer = await platform.must('GET', '/api/v1/admin/updates/status');
    const services = new Set((answer.replicas as { service: string }[]).map(({ service }) => service));
    expect([...services].sort()).toEqual(['audit', 'auth', 'gateway', 'vault', 'workflow']);
    return answer;
  });
  expect(status).toMatchObject({
    state: 'current',
    replicasDiffer: false,
    history: [{ version: status.version }],
  });
  expect(
    (status.schemas as { service: string; known: boolean; applied: unknown[] }[]).map(
      ({ service, known, applied }) => [service, known, applied.length > 2],
    ),
  ).toEqual(['auth', 'vault', 'workflow', 'audit'].map((service) => [service, true, true]));
});

test('a setting takes effect in another service without a restart, only for its tenant', async () => {
  const [tenant, other] = [await network.createTenant(), await network.createTenant()];
  await enrolSecondFactor(tenant.admin.client);
  const entryOf = async ({ admin }: typeof tenant): Promise<unknown> =>
    (await admin.client.must('POST', '/api/v1/vault/entries', { name: 'one', username: 'root', secret: 'x' }))
      .id;
  const [entry, foreign] = [await entryOf(tenant), await entryOf(other)];
  const ask = async ({ admin }: typeof tenant, entryId: unknown, reason: string): Promise<number> => {
    const body = { entryId, reason, durationMinutes: 60 };
    return (await admin.client.call('POST', '/api/v1/requests', body)).status;
  };
  expect(await ask(tenant, entry, 'before')).toBe(201);
  await tenant.admin.client.must('PUT', '/api/v1/admin/config', {
    values: { access: { maximumGrantMinutes: 30 } },
  });
  let round = 0;
  await eventually(async () => {
    round += 1;
    expect(await ask(tenant, entry, `after ${round}`)).toBe(400);
  });
  expect(await ask(other, foreign, 'other')).toBe(201);
});
