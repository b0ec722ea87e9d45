import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  APPROVER,
  codeOf,
  REQUESTER,
  startWorkflow,
  type Tenant,
  type Workflow,
} from '../../test-support.ts';

let service: Workflow;

beforeAll(async () => {
  service = await startWorkflow();
});
afterAll(() => service?.[Symbol.asyncDispose]());

interface Rows {
  status: string;
  decisions: number;
  grants: number;
}

async function ask(tenant: Tenant, quorum?: number): Promise<workflow.AccessRequest> {
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  if (quorum !== undefined) {
    await service.handlers.putAccessPolicy(tenant.user(['*']), {
      resourceId,
      steps: [{ name: 'approval', quorum, approverUserIds: [], approverRoles: [] }],
      maxDurationMinutes: 60,
      requestTtlMinutes: 60,
    });
  }
  const { request } = await service.handlers.createRequest(tenant.user(REQUESTER), {
    resourceId,
    reason: 'a reason',
    durationMinutes: 30,
  });
  return request!;
}

async function stored(requestId: string): Promise<Rows> {
  const [row] = await service.scratch.query<{ status: string; decisions: number; grants: number }>(
    `SELECT status, (SELECT count(*)::int FROM ${service.schema}.decisions d WHERE d.request_id = r.id) AS decisions,
       (SELECT count(*)::int FROM ${service.schema}.grants g WHERE g.request_id = r.id) AS grants
     FROM ${service.schema}.requests r WHERE id = $1`,
    [requestId],
  );
  return row!;
}

test('H-151 one of 50 concurrent approvals and denials decides, and a grant exists exactly if it approved', async () => {
  const tenant = service.tenant();
  for (let round = 0; round < 3; round++) {
    const { id } = await ask(tenant);
    const codes = await Promise.all(
      Array.from({ length: 50 }, (_, index) => {
        const approver = tenant.user(APPROVER);
        return codeOf(
          index % 2
            ? service.handlers.approveRequest(approver, { requestId: id })
            : service.handlers.denyRequest(approver, { requestId: id }),
        );
      }),
    );
    expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
    expect(codes.filter((code) => code === 'wrong_status')).toHaveLength(49);
    const row = await stored(id);
    expect(row).toEqual({ status: row.status, decisions: 1, grants: row.status === 'approved' ? 1 : 0 });
    const decided = (await service.events(id)).filter((event) => event.action !== 'request.created');
    expect(decided.map((event) => event.action)).toEqual([`request.${row.status}`]);
  }
});

test('H-154 two concurrent approvals of a quorum of two create exactly one grant', async () => {
  const tenant = service.tenant();
  for (let round = 0; round < 60; round++) {
    const { id } = await ask(tenant, 2);
    const answers = await Promise.all(
      [tenant.user(APPROVER), tenant.user(APPROVER)].map((approver) =>
        service.handlers.approveRequest(approver, { requestId: id }),
      ),
    );
    expect(answers.map((answer) => answer.request!.status).sort()).toEqual(['approved', 'pending']);
    expect(await stored(id)).toEqual({ status: 'approved', decisions: 2, grants: 1 });
  }
});

test('H-154 concurrent approvals of one approver count once', async () => {
  const tenant = service.tenant();
  const { id } = await ask(tenant, 3);
  const approver = tenant.user(APPROVER);
  const codes = await Promise.all(
    Array.from({ length: 10 }, () => codeOf(service.handlers.approveRequest(approver, { requestId: id }))),
  );
  expect(codes.sort()).toEqual([...Array(9).fill('already_decided'), 'ok']);
  expect(await stored(id)).toEqual({ status: 'pending', decisions: 1, grants: 0 });
});

test('of a concurrent cancellation and decision, one succeeds', async () => {
  const tenant = service.tenant();
  for (let round = 0; round < 20; round++) {
    const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
    const requester = tenant.user(REQUESTER);
    const { request } = await service.handlers.createRequest(requester, {
      resourceId,
      reason: 'a reason',
      durationMinutes: 30,
    });
    const requestId = request!.id;
    const codes = await Promise.all([
      codeOf(service.handlers.cancelRequest(requester, { requestId })),
      codeOf(service.handlers.approveRequest(tenant.user(APPROVER), { requestId })),
    ]);
    expect(codes.sort()).toEqual(['ok', 'wrong_status']);
    const row = await stored(requestId);
    expect(row.grants).toBe(row.status === 'approved' ? 1 : 0);
  }
});
