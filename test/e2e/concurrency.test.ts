import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import { connectNetwork, eventually, type Network } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { expectOne, settledAtOnce } from '../support/at-once.ts';
import {
  createPeople,
  grantAccess,
  type People,
  postgresAccount,
  requestAccess,
} from '../support/main-job.ts';

let network: Network;
let people: People;
let target: PostgresTarget;
let urls: readonly string[];

beforeAll(async () => {
  network = connectNetwork(inject('network'));
  urls = network.access.urls;
  [people, target] = await Promise.all([network.createTenant().then(createPeople), startPostgresTarget()]);
  await network.openTargets(target.port);
});
afterAll(async () => {
  await target?.stop();
  await network?.[Symbol.asyncDispose]();
});

test('two gateways serve the network', () => {
  expect(urls.length).toBe(2);
});

test('H-151 50 approvals and denials at once over two gateways: one decision', async () => {
  const { entryId } = await postgresAccount(people.admin, target);
  const deciders = await Promise.all(Array.from({ length: 5 }, () => people.tenant.createUser(['approver'])));
  const request = await requestAccess(people, entryId);
  const settled = await settledAtOnce(
    Array.from({ length: 50 }, (_, i) => {
      const client = deciders[i % 5]!.client.at(urls[i % 2]!);
      return () => client.post(`/api/v1/requests/${request}/${i % 3 === 0 ? 'deny' : 'approve'}`);
    }),
  );
  expectOne(settled, 200, /^409 /);
  const after = await people.admin.must('GET', `/api/v1/requests/${request}`);
  expect(after.decisions).toHaveLength(1);
  const grants = (await people.admin.must('GET', `/api/v1/grants?userId=${people.requester.id}&pageSize=100`))
    .items as { requestId: string }[];
  expect(grants.filter((grant) => grant.requestId === request)).toHaveLength(
    after.status === 'approved' ? 1 : 0,
  );
});

test('H-170 50 deliveries of a one-time credential at once over two gateways: one', async () => {
  const { entryId, password } = await postgresAccount(people.admin, target);
  const grant = await grantAccess(people, entryId);
  const settled = await settledAtOnce(
    Array.from({ length: 50 }, (_, i) => {
      const client = people.requester.client.at(urls[i % 2]!);
      return () => client.get(`/api/v1/grants/${grant}/credentials`);
    }),
  );
  const delivered = expectOne(settled, 200, /^409 /);
  expect(settled.answers.filter((answer) => answer.text.includes(password))).toEqual(delivered);
});

test('H-047 after logout the token is refused at once by the other gateway', async () => {
  for (let round = 0; round < 10; round += 1) {
    const token = await people.tenant.signIn(people.requester.username, people.requester.password);
    const here = network.anonymous.as(token).at(urls[0]!);
    const there = network.anonymous.as(token).at(urls[1]!);
    expect((await there.get('/api/v1/users/me')).status).toBe(200);
    expect((await here.post('/api/v1/auth/logout')).status).toBe(204);
    expect((await there.get('/api/v1/users/me')).status).toBe(401);
    expect([204, 401]).toContain((await there.post('/api/v1/auth/logout')).status);
  }
});

test('H-052 a removed role has no effect from the next call on', async () => {
  const user = await people.tenant.createUser(['auditor']);
  const elsewhere = user.client.at(urls[1]!);
  expect((await elsewhere.get('/api/v1/audit/events')).status).toBe(200);
  await people.admin.must('PUT', `/api/v1/users/${user.id}/roles`, { roles: [] });
  expect((await elsewhere.get('/api/v1/audit/events')).status).toBe(403);
});

test('revocation races delivery: no credential is delivered after the answer to the revocation', async () => {
  for (let round = 0; round < 20; round += 1) {
    const { entryId } = await postgresAccount(people.admin, target);
    const grant = await grantAccess(people, entryId);
    const revoked = people.admin.post(`/api/v1/grants/${grant}/revoke`, { reason: 'race' });
    const raced = people.requester.client.at(urls[round % 2]!).get(`/api/v1/grants/${grant}/credentials`);
    expect((await revoked).status).toBe(200);
    const late = await people.requester.client.get(`/api/v1/grants/${grant}/credentials`);
    expect(late.status).toBe(409);
    expect([200, 409]).toContain((await raced).status);
  }
});

test('every decision and delivery is in the log once', async () => {
  const { entryId } = await postgresAccount(people.admin, target);
  const grant = await grantAccess(people, entryId);
  await people.requester.client.must('GET', `/api/v1/grants/${grant}/credentials`);
  await eventually(async () => {
    const { items } = await people.admin.must(
      'GET',
      `/api/v1/audit/events?action=vault.credentials.delivered&pageSize=100`,
    );
    const found = (items as { subjectId: string; outcome: string; resourceId: string }[]).filter(
      (event) => event.outcome === 'allowed',
    );
    expect(found.filter((event) => event.subjectId === entryId || event.subjectId === grant)).toHaveLength(1);
  });
});
