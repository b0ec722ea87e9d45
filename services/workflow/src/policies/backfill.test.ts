import { randomUUID } from 'node:crypto';
import { createDatabase, migrate } from '@claviger/database';
import { accessRuleOf } from '@claviger/evaluator';
import { startScratchDatabase } from '@claviger/testkit';
import { expect, test } from 'vitest';
import { migrations } from '../migrate.ts';
import { ruleSetAt } from '../rules/load-rule-set.ts';
import type { WorkflowSchema } from '../schema.ts';

test('policies older than the rule set are in its first version, in the form of the evaluator', async () => {
  await using scratch = await startScratchDatabase();
  const schema = await scratch.createSchema();
  const first = migrations.findIndex(({ name }) => name.startsWith('0007-'));
  await migrate(schema, migrations.slice(0, first));
  const database = createDatabase<WorkflowSchema>(schema);
  const [tenantId, other, author] = [randomUUID(), randomUUID(), randomUUID()];
  const step = (name: string) => ({ name, quorum: 2, approverUserIds: [], approverRoles: ['security'] });
  const policies = [tenantId, tenantId, other].map((tenant, n) => ({
    tenant_id: tenant,
    resource_id: randomUUID(),
    steps: [step('first'), step('Prüfung – zweite')],
    max_duration_minutes: 60 + n,
    one_time: true,
    rotate_on_end: false,
    request_ttl_minutes: 90,
    updated_by: author,
  }));
  const [before] = policies;
  before!.steps[0]!.name = 'a\u200bb';
  for (const policy of policies) {
    await database.withTenant(policy.tenant_id, (tx) =>
      tx
        .insertInto('access_policies')
        .values({ ...policy, steps: JSON.stringify(policy.steps) })
        .execute(),
    );
  }
  await migrate(schema, migrations);
  before!.steps[0]!.name = 'step 1';
  try {
    for (const [tenant, count] of [
      [tenantId, 2],
      [other, 1],
    ] as const) {
      const set = await ruleSetAt(database, tenant, 1);
      expect(set.broken).toEqual([]);
      const expected = policies
        .filter((policy) => policy.tenant_id === tenant)
        .map((policy) =>
          accessRuleOf(
            policy.resource_id,
            {
              steps: policy.steps,
              maxDurationMinutes: policy.max_duration_minutes,
              oneTime: true,
              rotateOnEnd: false,
              requestTtlMinutes: 90,
            },
            [author],
          ),
        );
      expect(expected).toHaveLength(count);
      const own = set.rules.filter((rule) => rule.matchResourceId !== '*');
      expect(own).toHaveLength(count);
      expect(own).toEqual(expect.arrayContaining(expected));
    }
  } finally {
    await database.close();
  }
});
