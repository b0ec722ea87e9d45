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

test('the permission to change entries alone cannot lower a protection, set a value or add a share', async () => {
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

test('lowering a protection that a policy requires answers 409 with a request, which the person who gains cannot decide', async () => {
  const id = await entryOf(owner, { requiresGrant: true });
  await share(id, operator, 'view');
  const first = await change(owner, id, { requiresGrant: false, reason: 'moves to another vault' });
  expect({ status: first.status, code: first.body.code }).toEqual({ status: 409, code: 'approval_required' });
  const requestId = first.body.approvalRequestId as string;
  expect((await change(owner, id, { requiresGrant: false })).body.approvalRequestId).toBe(requestId);
  // An unchanged field is not a change, and the rest of the PUT is applied.
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
  // Only the requester can use the approval, once.
  await share(id, operator, 'manage');
  expect((await change(operator, id, { requiresGrant: false })).body.code).toBe('approval_required');
  expect((await change(owner, id, { requiresGrant: false })).body).toMatchObject({ requiresGrant: false });
  expect((await change(owner, id, { requiresGrant: true })).status).toBe(200);
  const again = await change(owner, id, { requiresGrant: false });
  expect(again.body.code).toBe('approval_required');
  expect(again.body.approvalRequestId).not.toBe(requestId);
});

test('the owner of a resource lowers its policy only with an approval of its approvers, which works once', async () => {
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

const OPERATIONS = [
  ...['see', 'value', 'lift', 'allow', 'share', 'unshare', 'delete'],
  ...['ask', 'approve', 'collect', 'revoke'],
];

interface Asked {
  readonly id: string;
  readonly by: number;
  /** The grant of an approved request. */
  grantId: string | undefined;
}
interface Given {
  readonly id: string;
  readonly to: number;
  delivered: boolean;
  live: boolean;
}

test('a random sequence of calls through the gateway discloses only what the access of each caller allows', async () => {
  const by = fc.nat(2);
  const access = fc.constantFrom('view', 'modify', 'manage');
  const step = fc.record({
    op: fc.constantFrom(...OPERATIONS),
    by,
    access,
  });
  // A disclosure under a grant needs several calls first.
  const granted = fc
    .record({ by, decider: by, next: fc.constantFrom('collect', 'see', 'revoke'), last: by, access })
    .map(({ by, decider, next, last, access }) => [
      { op: 'ask', by, access },
      { op: 'approve', by: decider, access },
      { op: next, by, access },
      { op: 'collect', by: last, access },
    ]);
  const steps = fc
    .array(fc.oneof({ weight: 5, arbitrary: step.map((one) => [one]) }, { weight: 2, arbitrary: granted }), {
      minLength: 3,
      maxLength: 8,
    })
    .map((each) => each.flat());
  const people = [owner, operator, approver];
  const property = fc.asyncProperty(fc.boolean(), steps, async (protectedFirst, sequence) => {
    const id = await entryOf(owner, { requiresGrant: protectedFirst });
    let requiresGrant = protectedFirst;
    let value = SECRET;
    const shares = new Map<number, string>();
    /** Requests to lower the protection, by requester. */
    const lifts = new Map<number, { readonly id: string; approved: boolean }>();
    let asked: Asked | undefined;
    const grants: Given[] = [];
    const full = (by: number) => by === 0 || shares.get(by) === 'manage';
    // The owner is not an approver.
    const decides = (by: number, requester: number) => by !== 0 && by !== requester;
    for (const [index, { op, by, access }] of sequence.entries()) {
      const user = people[by]!;
      // The approver only reads and uses grants; the other two are operators.
      const acts = by !== 2;
      const shared = `${path(id)}/shares/${operator.id}`;
      const mine = grants.find(({ to, live, delivered }) => to === by && live && !delivered);
      const given = grants.at(-1);
      const same = (answer: object, expected: object) =>
        expect({ index, op, by, ...answer }).toEqual({ index, op, by, ...expected });
      if (op === 'see') {
        const { body } = await see(user, id);
        const stands = !requiresGrant && (by === 0 || shares.has(by));
        const allowed = acts && (stands || mine !== undefined);
        same({ secret: body.secret }, { secret: allowed ? value : undefined });
        if (allowed && !stands) mine!.delivered = true;
      } else if (op === 'collect') {
        if (!given) continue;
        const { body } = await user.client.get(`/api/v1/grants/${given.id}/credentials`);
        const allowed = mine === given;
        same({ secret: body.secret }, { secret: allowed ? value : undefined });
        if (allowed) given.delivered = true;
      } else if (op === 'ask') {
        // If a person has two grants, either may be used.
        if (mine) continue;
        const body = { entryId: id, reason: `why ${index}`, durationMinutes: 30 };
        const answer = await user.client.post('/api/v1/requests', body);
        same({ status: answer.status }, { status: 201 });
        asked = { id: answer.body.id as string, by, grantId: undefined };
      } else if (op === 'approve') {
        if (!asked || asked.grantId) continue;
        const { status, body } = await user.client.post(`/api/v1/requests/${asked.id}/approve`, {});
        same({ status }, { status: decides(by, asked.by) ? 200 : 403 });
        if (!decides(by, asked.by)) continue;
        asked.grantId = body.grantId as string;
        grants.push({ id: asked.grantId, to: asked.by, delivered: false, live: true });
      } else if (op === 'revoke') {
        if (!given) continue;
        const { status } = await user.client.post(`/api/v1/grants/${given.id}/revoke`, { reason: 'done' });
        const may = by !== 0 || given.to === 0;
        same({ status }, { status: may ? (given.live ? 200 : 409) : 404 });
        if (may) given.live = false;
      } else if (op === 'value') {
        const secret = `value ${index}`;
        const allowed = acts && (full(by) || shares.get(by) === 'modify');
        same({ status: (await change(user, id, { secret })).status }, { status: allowed ? 200 : 403 });
        if (allowed) value = secret;
      } else if (op === 'lift') {
        const { status, body } = await change(user, id, { requiresGrant: false });
        const may = acts && (requiresGrant ? full(by) : full(by) || shares.get(by) === 'modify');
        const waits = requiresGrant && !lifts.get(by)?.approved;
        same({ status }, { status: may ? (waits ? 409 : 200) : 403 });
        if (!may) continue;
        if (waits) lifts.set(by, { id: body.approvalRequestId as string, approved: false });
        else requiresGrant = false;
      } else if (op === 'allow') {
        const [requester, lift] = [...lifts].find(([, { approved }]) => !approved) ?? [];
        if (!lift || !requiresGrant) continue;
        const { status } = await user.client.post(`/api/v1/requests/${lift.id}/approve`, {});
        // A user with a share of the entry gains from it.
        const may = decides(by, requester!) && !shares.has(by);
        same({ status }, { status: may ? 200 : 403 });
        lift.approved ||= may;
      } else if (op === 'share') {
        const { status } = await user.client.call('PUT', shared, { access });
        same({ status }, { status: acts && full(by) ? 200 : 403 });
        if (acts && full(by)) shares.set(1, access);
      } else if (op === 'unshare') {
        const { status } = await user.client.call('DELETE', shared);
        same({ status }, { status: acts && full(by) ? (shares.has(1) ? 204 : 404) : 403 });
        if (acts && full(by)) shares.delete(1);
      } else {
        // Operators lack the permission to delete.
        same({ status: (await user.client.call('DELETE', path(id))).status }, { status: 403 });
      }
    }
  });
  await fc.assert(property, { numRuns: 40 });
});
