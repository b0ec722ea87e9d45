import { randomUUID } from 'node:crypto';
import { soleLeadership } from '@claviger/cluster';
import type { AccessFacts } from '@claviger/evaluator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decideNow, startWorkflow, type Workflow } from '../../test-support.ts';
import { forgetEvaluations } from './forget-evaluations.ts';
import { recordEvaluation } from './record-evaluation.ts';

let service: Workflow;
beforeAll(async () => {
  service = await startWorkflow();
});
afterAll(() => service?.[Symbol.asyncDispose]());

const facts: AccessFacts = {
  kind: 'access',
  at: '2026-11-20T10:00:00Z',
  subjectUserId: randomUUID(),
  resourceId: null,
  durationMinutes: 30,
  reason: 'why',
};

async function decidedDaysAgo(tenantId: string, days: number): Promise<string> {
  const decided = await decideNow(service.deps.decider, tenantId, facts);
  const requestId = randomUUID();
  await service.deps.database.withTenant(tenantId, (tx) =>
    recordEvaluation(tx, { tenantId, requestId, label: 'a request', decided }),
  );
  await service.scratch.query(
    `UPDATE ${service.schema}.evaluations SET decided_at = now() - make_interval(days => $1) WHERE request_id = $2`,
    [days, requestId],
  );
  return requestId;
}
const kept = async (tenantId: string): Promise<string[]> =>
  (
    await service.scratch.query(
      `SELECT request_id FROM ${service.schema}.evaluations WHERE tenant_id = $1 ORDER BY decided_at`,
      [tenantId],
    )
  ).map(({ request_id }) => request_id as string);

test('decisions are erased in batches after the retention of the tenant, and not earlier', async () => {
  const [one, other] = [service.tenant().tenantId, service.tenant().tenantId];
  for (let n = 0; n < 5; n++) await decidedDaysAgo(one, 500 + n);
  const young = await decidedDaysAgo(one, 399);
  const elsewhere = await decidedDaysAgo(other, 401);
  expect(await forgetEvaluations(service.deps, soleLeadership, 3)).toBe(true);
  expect(await kept(one)).toHaveLength(3);
  expect(await kept(other)).not.toContain(elsewhere);
  expect(await forgetEvaluations(service.deps, soleLeadership, 3)).toBe(false);
  expect(await kept(one)).toEqual([young]);
  service.settings.elevation.evaluationRetentionDays = 200;
  try {
    await forgetEvaluations(service.deps, soleLeadership);
    expect(await kept(one)).toEqual([]);
  } finally {
    service.settings.elevation.evaluationRetentionDays = 400;
  }
});

test('the database refuses to erase a decision that can still be replayed, and to change one', async () => {
  const { tenantId } = service.tenant();
  const [old, young] = [await decidedDaysAgo(tenantId, 92), await decidedDaysAgo(tenantId, 89)];
  expect(await kept(tenantId)).toEqual([old, young]);
  await service.deps.database.withTenant(tenantId, (tx) => tx.deleteFrom('evaluations').execute());
  expect(await kept(tenantId)).toEqual([young]);
  await expect(
    service.deps.database.withTenant(tenantId, (tx) =>
      tx.updateTable('evaluations').set({ verdict: 'denied' }).execute(),
    ),
  ).rejects.toMatchObject({ code: '42501' });
  await expect(
    service.deps.database.system((tx) => tx.selectFrom('evaluations').select('facts').execute()),
  ).rejects.toMatchObject({ code: '42501' });
});
