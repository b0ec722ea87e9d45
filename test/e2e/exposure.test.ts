import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import { connectNetwork, eventually, type Network } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createPeople, grantAccess, type People, postgresAccount, retrieve } from '../support/main-job.ts';

let network: Network;
let people: People;
let target: PostgresTarget;

beforeAll(async () => {
  network = connectNetwork(inject('network'));
  [people, target] = await Promise.all([network.createTenant().then(createPeople), startPostgresTarget()]);
  await network.openTargets(target.port);
});
afterAll(async () => {
  await target?.stop();
  await network?.[Symbol.asyncDispose]();
});

test('after the exposure of a leaving user is rotated, no secret in use was seen by that user', async () => {
  const { admin, requester } = people;
  const accounts = await Promise.all([postgresAccount(admin, target), postgresAccount(admin, target)]);
  for (const { entryId, password } of accounts) {
    const grant = await grantAccess(people, entryId);
    const { secret } = await requester.client.must('GET', `/api/v1/grants/${grant}/credentials`);
    expect(secret).toBe(password);
  }
  const path = `/api/v1/users/${requester.id}/exposure`;
  const names = accounts.map(({ username }) => username).sort();
  const known = await admin.must('GET', `${path}?sortBy=entryName&sortOrder=asc`);
  expect(known).toMatchObject({
    currentSecrets: 2,
    items: names.map((entryName) => ({ entryName, current: true, paths: [{ kind: 'grant' }] })),
  });
  expect((await requester.client.get(path)).status).toBe(403);

  await admin.must('DELETE', `/api/v1/users/${requester.id}`);
  // Deleting the user ends the grants, which rotates what was seen; this call rotates everything else.
  const { status, body } = await admin.post(`${path}/rotate`, { reason: 'has left' });
  expect({ status, impossible: body.impossible }).toEqual({ status: 202, impossible: [] });
  await eventually(
    async () => {
      const { currentSecrets } = await admin.must('GET', path);
      if (currentSecrets !== 0) throw new Error(`${currentSecrets} secrets are known still`);
    },
    { timeoutMs: 100_000, what: 'an empty list' },
  );
  for (const { entryId, username, password } of accounts) {
    const secret = await retrieve(admin, entryId);
    expect(secret).not.toBe(password);
    expect(await target.accepts(username, secret)).toBe(true);
    expect(await target.accepts(username, password)).toBe(false);
  }
});
