import {
  connectNetwork,
  type Network,
  type RestAnswer,
  type TestTenant,
  type TestUser,
} from '@claviger/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

let network: Network;
let tenant: TestTenant;
let owner: TestUser;
let operator: TestUser;
let approver: TestUser;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
  [owner, operator, approver] = await Promise.all([
    tenant.createUser(['operator']),
    tenant.createUser(['operator', 'approver']),
    tenant.createUser(['approver']),
  ]);
});
afterAll(async () => network?.[Symbol.asyncDispose]());

const SECRET = 'the secret of the owner';
let number = 0;
async function entryOf(user: TestUser, more: object = {}): Promise<string> {
  number += 1;
  const body = { name: `rights-${number}`, secret: SECRET, ...more };
  return (await user.client.must('POST', '/api/v1/vault/entries', body)).id as string;
}
const path = (id: string) => `/api/v1/vault/entries/${id}`;
const change = (user: TestUser, id: string, body: object): Promise<RestAnswer> =>
  user.client.call('PUT', path(id), body);
const see = (user: TestUser, id: string) => user.client.post(`${path(id)}/retrieve`, { reason: 'why' });
const share = (id: string, user: TestUser, access: string) =>
  owner.client.must('PUT', `${path(id)}/shares/${user.id}`, { access });

test('the permission to change entries lifts no protection, plants no value and gives no share', async () => {
  const id = await entryOf(owner, { requiresGrant: true, requiresReason: true });
  const attempts = [
    { requiresGrant: false },
    { requiresReason: false },
    { secret: 'planted' },
    { username: 'root' },
    { description: 'mine' },
  ];
  for (const access of ['none', 'view']) {
    if (access === 'view') await share(id, operator, access);
    for (const body of attempts) {
      const { status, body: problem } = await change(operator, id, body);
      expect({ status, code: problem.code }).toEqual({ status: 403, code: 'insufficient_access' });
    }
    for (const [method, where] of [
      ['PUT', `${path(id)}/shares/${operator.id}`],
      ['PUT', `${path(id)}/rotation-schedule`],
      ['POST', `${path(id)}/rotate`],
    ] as const) {
      const body = where.includes('shares')
        ? { access: 'manage' }
        : where.includes('schedule')
          ? { intervalHours: 1 }
          : { reason: 'why' };
      expect((await operator.client.call(method, where, body)).status).toBe(403);
    }
    expect((await see(operator, id)).status).toBe(403);
  }
  expect(await owner.client.must('GET', path(id))).toMatchObject({ requiresGrant: true, currentVersion: 1 });
});

test('to lower a protection that a policy demands answers 409 with the request it opened; who gains decides on none', async () => {
  const id = await entryOf(owner, { requiresGrant: true });
  await share(id, operator, 'view');
  const first = await change(owner, id, { requiresGrant: false, reason: 'moves to another vault' });
  expect({ status: first.status, code: first.body.code }).toEqual({ status: 409, code: 'approval_required' });
  const requestId = first.body.approvalRequestId as string;
  expect((await change(owner, id, { requiresGrant: false })).body.approvalRequestId).toBe(requestId);
  // A field sent unchanged is no change, and the rest of the PUT is done.
  expect(
    (await change(owner, id, { requiresGrant: true, requiresReason: false, description: 'x' })).status,
  ).toBe(200);
  expect(await approver.client.must('GET', `/api/v1/requests/${requestId}`)).toMatchObject({
    kind: 'protection',
    status: 'pending',
    reason: 'moves to another vault',
    change: { before: { requiresGrant: true }, after: { requiresGrant: false } },
  });
  const approve = (user: TestUser) => user.client.post(`/api/v1/requests/${requestId}/approve`, {});
  for (const user of [operator, tenant.admin]) {
    const refused = await approve(user);
    expect({ status: refused.status, code: refused.body.code }).toEqual({
      status: 403,
      code: 'would_benefit',
    });
  }
  expect((await change(owner, id, { requiresGrant: false })).status).toBe(409);
  expect((await approve(approver)).body).toMatchObject({ status: 'approved', grantId: '' });
  expect((await see(operator, id)).status).toBe(403);
  // The approval is the requester's: nobody else uses it, and they do so once.
  await share(id, operator, 'manage');
  expect((await change(operator, id, { requiresGrant: false })).body.code).toBe('approval_required');
  expect((await change(owner, id, { requiresGrant: false })).body).toMatchObject({ requiresGrant: false });
  expect((await change(owner, id, { requiresGrant: true })).status).toBe(200);
  const again = await change(owner, id, { requiresGrant: false });
  expect(again.body.code).toBe('approval_required');
  expect(again.body.approvalRequestId).not.toBe(requestId);
});

test('who owns a resource lowers its policy only with an approval of its approvers, which is used once', async () => {
  const { admin } = tenant;
  const { id } = await admin.client.must('POST', '/api/v1/resources', { name: 'governed', type: 'server' });
  const put = (quorum: number) =>
    admin.client.call('PUT', `/api/v1/resources/${id}/access-policy`, {
      steps: [{ name: 'both', quorum, approverUserIds: [operator.id, approver.id], approverRoles: [] }],
      maxDurationMinutes: 60,
      requestTtlMinutes: 60,
      oneTime: true,
      rotateOnEnd: true,
    });
  expect((await put(2)).status).toBe(200);
  const refused = await put(1);
  expect({ status: refused.status, code: refused.body.code }).toEqual({
    status: 409,
    code: 'approval_required',
  });
  const requestId = refused.body.approvalRequestId as string;
  const request = `/api/v1/requests/${requestId}`;
  expect(await approver.client.must('GET', request)).toMatchObject({
    kind: 'policy',
    resourceId: id,
    policyChange: { before: { steps: [{ quorum: 2 }] }, after: { steps: [{ quorum: 1 }] } },
  });
  expect((await admin.client.post(`${request}/approve`, {})).status).toBe(403);
  for (const user of [operator, approver]) {
    expect((await put(1)).body.approvalRequestId).toBe(requestId);
    expect((await user.client.post(`${request}/approve`, {})).status).toBe(200);
  }
  expect((await put(1)).body).toMatchObject({ steps: [{ quorum: 1 }], rowVersion: 2 });
  expect((await put(2)).status).toBe(200);
  expect((await put(1)).body.approvalRequestId).not.toBe(requestId);
});

test('what a random sequence of calls through the gateway shows is what the rights of its caller allow', async () => {
  const steps = fc.array(
    fc.record({
      op: fc.constantFrom('see', 'value', 'lift', 'share', 'unshare', 'delete'),
      by: fc.nat(2),
      access: fc.constantFrom('view', 'modify', 'manage'),
    }),
    { minLength: 4, maxLength: 8 },
  );
  const people = [owner, operator, approver];
  const property = fc.asyncProperty(fc.boolean(), steps, async (requiresGrant, sequence) => {
    const id = await entryOf(owner, { requiresGrant });
    const shares = new Map<number, string>();
    let value = SECRET;
    const full = (by: number) => by === 0 || shares.get(by) === 'manage';
    for (const [index, { op, by, access }] of sequence.entries()) {
      const user = people[by]!;
      // The approver only looks; of the others both are operators.
      const acts = by !== 2;
      const shared = `${path(id)}/shares/${operator.id}`;
      if (op === 'see') {
        const { body } = await see(user, id);
        const allowed = acts && !requiresGrant && (by === 0 || shares.has(by));
        expect({ op, by, secret: body.secret }).toEqual({ op, by, secret: allowed ? value : undefined });
      } else if (op === 'value') {
        const secret = `value ${index}`;
        const allowed = acts && (full(by) || shares.get(by) === 'modify');
        expect((await change(user, id, { secret })).status).toBe(allowed ? 200 : 403);
        if (allowed) value = secret;
      } else if (op === 'lift') {
        const { status } = await change(user, id, { requiresGrant: false });
        const may = acts && (requiresGrant ? full(by) : full(by) || shares.get(by) === 'modify');
        expect({ op, by, status }).toEqual({ op, by, status: may ? (requiresGrant ? 409 : 200) : 403 });
      } else if (op === 'share') {
        const { status } = await user.client.call('PUT', shared, { access });
        expect(status).toBe(acts && full(by) ? 200 : 403);
        if (acts && full(by)) shares.set(1, access);
      } else if (op === 'unshare') {
        const { status } = await user.client.call('DELETE', shared);
        expect(status).toBe(acts && full(by) ? (shares.has(1) ? 204 : 404) : 403);
        if (acts && full(by)) shares.delete(1);
      } else {
        // No operator holds the permission to delete.
        expect((await user.client.call('DELETE', path(id))).status).toBe(403);
      }
    }
  });
  await fc.assert(property, { numRuns: 25 });
});
