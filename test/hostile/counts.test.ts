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

/** A limit of how many a tenant may have of something. */
interface Limit {
  readonly limit: number;
  readonly code: string;
  readonly schema: string;
  /** Makes one more. The first one is made before the rows are multiplied. */
  prepare(tenant: TestTenant): Promise<() => Promise<RestAnswer>>;
  /** Copies the row of the tenant so often. */
  readonly copies: string;
  /** How many the limit counts now. */
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
      // Of different days: an equal one that waits would be answered instead.
      let days = 0;
      return () => {
        days += 1;
        const to = `2026-01-${String(days).padStart(2, '0')}`;
        return admin.client.post('/api/v1/compliance/reports', { from: '2026-01-01', to });
      };
    },
    // Not due for a year: no worker takes them away while they are counted.
    copies: `INSERT INTO audit.compliance_reports SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'state', 'queued',
      'next_attempt_at', now() + interval '1 year'))).*
      FROM audit.compliance_reports AS r, generate_series(1, $2) WHERE r.id = (SELECT id FROM audit.compliance_reports WHERE tenant_id = $1 LIMIT 1)`,
    counted: `SELECT count(*)::int AS n FROM audit.compliance_reports WHERE tenant_id = $1 AND next_attempt_at > now() + interval '1 day'`,
  },
};

test.each(Object.entries(limits))('twenty at once do not get past the limit of %s', async (name, limit) => {
  const tenant = await network.createTenant();
  const one = await limit.prepare(tenant);
  expect((await one()).status).toBeLessThan(300);
  const counted = () =>
    network.superuser(async (db) => (await db.query<{ n: number }>(limit.counted, [tenant.id])).rows[0]!.n);
  // Those that a worker makes leave the count: it is filled to its brim, and no more is taken.
  const left = name.includes('packages that wait') ? 0 : 3;
  const room = limit.limit - left - (await counted());
  await network.superuser(async (db) => {
    // Triggers of the service name its tables without their schema.
    await db.query(`SET search_path = ${limit.schema}`);
    await db.query(limit.copies, [tenant.id, room]);
  });
  const { answers } = await settledAtOnce(Array.from({ length: 20 }, () => one));
  const refused = answers.filter(({ status }) => status >= 400);
  expect(refused.map(({ body }) => body.code)).toEqual(refused.map(() => limit.code));
  expect(refused.length).toBeGreaterThanOrEqual(20 - left);
  expect(await counted()).toBe(limit.limit);
});
