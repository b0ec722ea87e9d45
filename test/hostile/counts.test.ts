import { randomUUID } from 'node:crypto';
import { connectNetwork, type Network, type RestAnswer, type TestTenant } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { settledAtOnce } from '../support/at-once.ts';
import { enrolDevice, promptOf } from '../support/elevation.ts';

let network: Network;
beforeAll(() => {
  network = connectNetwork(inject('network'));
});
afterAll(async () => network?.[Symbol.asyncDispose]());

/** A limit on the number of objects of a tenant. */
interface Limit {
  readonly limit: number;
  readonly code: string;
  readonly schema: string;
  /** Creates one object. The first one is created before its row is copied. */
  prepare(tenant: TestTenant): Promise<() => Promise<RestAnswer>>;
  /** Copies the row of the tenant this many times. */
  readonly copies: string;
  /** The number that the limit counts now. */
  readonly counted: string;
}

const limits: Readonly<Record<string, Limit>> = {
  'API tokens of a user': {
    limit: 100,
    code: 'too_many_api_tokens',
    schema: 'auth',
    prepare:
      async ({ admin }) =>
      () =>
        admin.client.post('/api/v1/api-tokens', { name: randomUUID() }),
    copies: `WITH first AS (SELECT * FROM auth.api_tokens WHERE tenant_id = $1 LIMIT 1),
      made AS (INSERT INTO auth.sessions (tenant_id, id, user_id, kind, amr, expires_at)
        SELECT tenant_id, gen_random_uuid(), user_id, 'api-token', '{token}', expires_at FROM first, generate_series(1, $2)
        RETURNING id)
      INSERT INTO auth.api_tokens (tenant_id, user_id, session_id, name, prefix, token_hash, permissions, created_by, expires_at)
        SELECT f.tenant_id, f.user_id, m.id, 'copy', f.prefix, m.id::text::bytea, f.permissions, f.created_by, f.expires_at
        FROM first AS f, made AS m`,
    counted: 'SELECT count(*)::int AS n FROM auth.api_tokens WHERE tenant_id = $1',
  },
  'schedules of compliance packages': {
    limit: 100,
    code: 'too_many_schedules',
    schema: 'audit',
    prepare:
      async ({ admin }) =>
      () =>
        admin.client.post('/api/v1/compliance/schedules', { name: randomUUID(), cron: '0 3 1 1 *' }),
    copies: `INSERT INTO audit.compliance_schedules SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(),
      'name', gen_random_uuid()))).* FROM audit.compliance_schedules AS s, generate_series(1, $2) WHERE s.id = (SELECT id FROM audit.compliance_schedules WHERE tenant_id = $1 LIMIT 1)`,
    counted: 'SELECT count(*)::int AS n FROM audit.compliance_schedules WHERE tenant_id = $1',
  },
  'prompts of a device that wait for a person': {
    limit: 500,
    code: 'too_many_waiting',
    schema: 'workflow',
    prepare: async ({ admin }) => {
      const { id, agent } = await enrolDevice(admin.client);
      return () =>
        agent.post(
          `/api/v1/agents/${id}/elevation-requests`,
          promptOf({ target_executable_path: `C:\\${randomUUID()}.exe` }),
        );
    },
    copies: `INSERT INTO workflow.elevation_requests SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid()))).*
      FROM workflow.elevation_requests AS r, generate_series(1, $2) WHERE r.id = (SELECT id FROM workflow.elevation_requests WHERE tenant_id = $1 LIMIT 1)`,
    counted: `SELECT count(*)::int AS n FROM workflow.elevation_requests WHERE tenant_id = $1 AND status = 'pending'`,
  },
  'compliance packages that wait to be made': {
    limit: 50,
    code: 'too_many_reports',
    schema: 'audit',
    prepare: async ({ admin }) => {
      // For different days, because a request for a waiting package returns that package.
      let days = 0;
      return () => {
        days += 1;
        const to = `2026-01-${String(days).padStart(2, '0')}`;
        return admin.client.post('/api/v1/compliance/reports', { from: '2026-01-01', to });
      };
    },
    // Due in a year, so that no worker takes them during the test.
    copies: `INSERT INTO audit.compliance_reports SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'state', 'queued',
      'next_attempt_at', now() + interval '1 year'))).*
      FROM audit.compliance_reports AS r, generate_series(1, $2) WHERE r.id = (SELECT id FROM audit.compliance_reports WHERE tenant_id = $1 LIMIT 1)`,
    counted: `SELECT count(*)::int AS n FROM audit.compliance_reports WHERE tenant_id = $1 AND next_attempt_at > now() + interval '1 day'`,
  },
};

test.each(Object.entries(limits))('20 calls at once stay within the limit of %s', async (name, limit) => {
  const tenant = await network.createTenant();
  const one = await limit.prepare(tenant);
  expect((await one()).status).toBeLessThan(300);
  const counted = () =>
    network.superuser(async (db) => (await db.query<{ n: number }>(limit.counted, [tenant.id])).rows[0]!.n);
  // Packages that a worker starts no longer count: fills the count up to the limit before the last check.
  const left = name.includes('packages that wait') ? 0 : 3;
  const room = limit.limit - left - (await counted());
  await network.superuser(async (db) => {
    // Triggers of the service name tables without their schema.
    await db.query(`SET search_path = ${limit.schema}`);
    await db.query(limit.copies, [tenant.id, room]);
  });
  const { answers } = await settledAtOnce(Array.from({ length: 20 }, () => one));
  const refused = answers.filter(({ status }) => status >= 400);
  expect(refused.map(({ body }) => body.code)).toEqual(refused.map(() => limit.code));
  expect(refused.length).toBeGreaterThanOrEqual(20 - left);
  expect(await counted()).toBe(limit.limit);
});
