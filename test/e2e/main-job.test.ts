import { type PostgresTarget, type SshTarget, startPostgresTarget, startSshTarget } from '@claviger/targets';
import { connectNetwork, type Network } from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  type Account,
  createPeople,
  grantAccess,
  type People,
  postgresAccount,
  requestAccess,
  retrieve,
  rotationReaches,
  sshAccount,
} from '../support/main-job.ts';

let network: Network;
let people: People;
let postgres: PostgresTarget;
let ssh: SshTarget;

beforeAll(async () => {
  network = connectNetwork(inject('network'));
  [people, postgres, ssh] = await Promise.all([
    network.createTenant().then(createPeople),
    startPostgresTarget(),
    startSshTarget(),
  ]);
  await network.openTargets(postgres.port, ssh.port);
});
afterAll(async () => {
  await Promise.all([postgres?.stop(), ssh?.stop()]);
  await network?.[Symbol.asyncDispose]();
});

const targets: [
  string,
  () => Promise<{ account: Account; accepts: (password: string) => Promise<boolean> }>,
][] = [
  [
    'a PostgreSQL role',
    async () => {
      const account = await postgresAccount(people.admin, postgres);
      return { account, accepts: (password) => postgres.accepts(account.username, password) };
    },
  ],
  [
    'a Linux account behind sshd',
    async () => {
      const account = await sshAccount(people.admin, ssh);
      return { account, accepts: (password) => ssh.accepts(account.username, password) };
    },
  ],
];

describe.each(targets)('the main job on %s', (_, make) => {
  test('request, approve, retrieve once, revoke: the target accepts the new password and refuses the old one', async () => {
    const { account, accepts } = await make();
    const request = await requestAccess(people, account.entryId);
    const own = await people.requester.client.post(`/api/v1/requests/${request}/approve`);
    expect(own.status).toBe(403);
    const approved = await people.approver.client.must('POST', `/api/v1/requests/${request}/approve`, {
      durationMinutes: 10,
    });
    expect(approved).toMatchObject({ status: 'approved', approvedDurationMinutes: 10 });

    const credentials = `/api/v1/grants/${approved.grantId}/credentials`;
    const received = await people.requester.client.get(credentials);
    expect(received.status).toBe(200);
    expect(received.body).toMatchObject({ username: account.username, secret: account.password });
    expect(await accepts(received.body.secret as string)).toBe(true);
    expect((await people.requester.client.get(credentials)).status).toBe(409);

    await people.requester.client.must('POST', `/api/v1/grants/${approved.grantId}/revoke`, {
      reason: 'done',
    });
    await rotationReaches(people.admin, account.entryId, ['verified']);
    const current = await retrieve(people.admin, account.entryId);
    expect(current).not.toBe(account.password);
    expect(await accepts(current)).toBe(true);
    expect(await accepts(account.password)).toBe(false);
  });
});

test('the audit log contains a receipt with its leaf', async () => {
  const account = await postgresAccount(people.admin, postgres);
  const grant = await grantAccess(people, account.entryId);
  const { receipt } = await people.requester.client.must('GET', `/api/v1/grants/${grant}/credentials`);
  await expect
    .poll(async () => (await people.requester.client.post('/api/v1/audit/receipts/verify', { receipt })).body)
    .toMatchObject({ signatureValid: true, recorded: true, sequence: expect.any(Number) });
  const forged = { ...(receipt as object), action: 'vault.entry.created' };
  expect(
    (await people.requester.client.post('/api/v1/audit/receipts/verify', { receipt: forged })).body,
  ).toMatchObject({
    signatureValid: false,
  });
});
