import { randomUUID } from 'node:crypto';
import {
  connectNetwork,
  type Network,
  type RestClient,
  type TestTenant,
  type TestUser,
} from '@claviger/testkit';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { guardedEntry, retrieve, sealedCodes, steppedUp, WHY } from '../support/breakglass.ts';

let network: Network;
let tenant: TestTenant;
beforeAll(() => {
  network = connectNetwork(inject('network'));
});
afterAll(async () => network?.[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await network.createTenant();
});

interface Machine {
  readonly id: string;
  readonly client: RestClient;
}

/** A machine with these roles; this person is responsible for it. */
async function machineOf(maker: TestUser, roles: readonly string[]): Promise<Machine> {
  const username = `robot-${randomUUID().slice(0, 8)}`;
  const { id } = await maker.client.must('POST', '/api/v1/users', { username, kind: 'machine', roles });
  const { token } = await maker.client.must('POST', '/api/v1/api-tokens', { name: 'ci', userId: id });
  return { id: id as string, client: network.anonymous.as(token as string) };
}

const ask = async (who: RestClient, entryId: string): Promise<string> =>
  (await who.must('POST', '/api/v1/requests', { entryId, reason: 'why', durationMinutes: 30 })).id as string;
const approve = (who: RestClient, requestId: string) => who.post(`/api/v1/requests/${requestId}/approve`, {});
const statusOf = async (requestId: string) =>
  (await tenant.admin.client.must('GET', `/api/v1/requests/${requestId}`)).status;
const setStatus = (userId: string, status: string) =>
  tenant.admin.client.must('PUT', `/api/v1/users/${userId}`, { status });

/** The states of the grants for an entry. */
async function grantsOf(who: RestClient, entryId: string): Promise<string[]> {
  const { items } = await who.must('GET', '/api/v1/grants');
  return (items as { entryId: string; status: string }[])
    .filter((grant) => grant.entryId === entryId)
    .map(({ status }) => status);
}

test('machines of a person with emergency access cannot administer anything at any gateway', async () => {
  const maker = await steppedUp(tenant, ['administrator']);
  const machine = await machineOf(maker, ['administrator']);
  for (const url of network.access.urls) await machine.client.at(url).must('GET', '/api/v1/users');
  const manager = await steppedUp(tenant, ['administrator']);
  const [sealedCode] = await sealedCodes(manager.client, 1);
  await maker.client.must('POST', '/api/v1/breakglass/activate', { ...WHY, sealedCode });
  for (const url of network.access.urls) {
    const answer = await machine.client.at(url).post('/api/v1/users', { username: `u-${randomUUID()}` });
    expect([answer.status, answer.body.code]).toEqual([403, 'in_emergency']);
  }
});

test('the responsible person can neither approve for their machine nor retrieve through it', async () => {
  const maker = await tenant.createUser(['administrator']);
  const machine = await machineOf(maker, ['requester']);
  const requestId = await ask(machine.client, await guardedEntry(tenant));
  const own = await approve(maker.client, requestId);
  expect([own.status, own.body.code]).toEqual([403, 'self_approval']);
  // A take-over cancels the request, so the new responsible person cannot collect what they approve.
  const other = await tenant.createUser(['administrator']);
  await other.client.must('PUT', `/api/v1/users/${machine.id}/responsible`, {});
  expect(await statusOf(requestId)).toBe('cancelled');
  expect((await machine.client.get('/api/v1/users/me')).status).toBe(401);
});

test('disabling a person ends what they and their machines hold, and enabling restores none of it', async () => {
  const [approver, maker] = [
    await tenant.createUser(['approver']),
    await tenant.createUser(['administrator']),
  ];
  const machine = await machineOf(maker, ['administrator']);
  const [ofPerson, ofMachine] = [await guardedEntry(tenant), await guardedEntry(tenant)];
  const holders = [
    { client: maker.client, entryId: ofPerson },
    { client: machine.client, entryId: ofMachine },
  ];
  for (const { client, entryId } of holders) {
    expect((await approve(approver.client, await ask(client, entryId))).status).toBe(200);
    expect(await grantsOf(client, entryId)).toEqual(['active']);
  }
  const waiting = await ask(machine.client, ofPerson);
  await setStatus(maker.id, 'disabled');
  const suspended = await machine.client.get('/api/v1/users/me');
  expect([suspended.status, suspended.body.code]).toEqual([401, 'responsible_person_gone']);
  await setStatus(maker.id, 'active');
  const again = network.anonymous.as(await tenant.signIn(maker.username, maker.password));
  const holding = [
    { client: again, entryId: ofPerson },
    { client: machine.client, entryId: ofMachine },
  ];
  for (const { client, entryId } of holding) {
    // The grant was never used: only its end protects the secret.
    expect(await grantsOf(client, entryId)).toEqual(['revoked']);
    expect((await retrieve(client, entryId)).status).toBe(403);
  }
  expect(await statusOf(waiting)).toBe('cancelled');
});

test('accounts that were never handed over cannot approve for each other or for their administrator', async () => {
  const puppet = async (roles: readonly string[]) => {
    const [username, password] = [`p-${randomUUID().slice(0, 8)}`, `${randomUUID()} Aa9`];
    await tenant.admin.client.must('POST', '/api/v1/users', { username, password, roles });
    const client = network.anonymous.as(await tenant.signIn(username, password));
    return { client, password };
  };
  const [first, second] = [await puppet(['requester']), await puppet(['approver'])];
  const entryId = await guardedEntry(tenant);
  for (const requestId of [await ask(first.client, entryId), await ask(tenant.admin.client, entryId)]) {
    const refused = await approve(second.client, requestId);
    expect([refused.status, refused.body.code]).toEqual([403, 'self_approval']);
  }
  const real = await tenant.createUser(['requester']);
  const requestId = await ask(real.client, entryId);
  expect((await approve(second.client, requestId)).status).toBe(200);
  // After they have set their own passwords, they count as themselves.
  const own = { currentPassword: second.password, newPassword: `${randomUUID()} Aa9` };
  expect((await second.client.put('/api/v1/users/me/password', own)).status).toBe(204);
  expect(
    (await approve(second.client, await ask(tenant.admin.client, await guardedEntry(tenant)))).status,
  ).toBe(200);
});
