import { randomUUID } from 'node:crypto';
import type { ElevationFacts, Rule, SoftwareEntry } from '@claviger/evaluator';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decideNow, startWorkflow, type Workflow } from '../../test-support.ts';
import { changeRuleSet } from './change-rule-set.ts';
import { createDecider, type DecisionStages } from './decider.ts';

let service: Workflow;
/** The list and the rule would approve every request of this tenant. */
const tenantId = randomUUID();
const listed: SoftwareEntry = {
  id: randomUUID(),
  name: 'known',
  list: 'allow',
  matchHash: 'a'.repeat(64),
  authorIds: [],
};
const rule: Rule = {
  id: randomUUID(),
  name: 'signed',
  verdict: 'auto_approve',
  matchSigner: 'Vendor',
  authorIds: [],
};

beforeAll(async () => {
  service = await startWorkflow();
  await service.deps.database.withTenant(tenantId, (tx) =>
    changeRuleSet(tx, tenantId, [
      { kind: 'software', objectId: listed.id, body: listed },
      { kind: 'rule', objectId: rule.id, body: rule },
    ]),
  );
});
afterAll(() => service[Symbol.asyncDispose]());

type Stage = 'software' | 'rules';

/** For tests in which a slow machine must not reach the deadline. */
const PATIENT_MS = 20_000;
const UNTIL = { timeout: 50_000 };

/** Decided by the list, or by the rule if the list does not match. */
const promptFor = (stage: Stage): ElevationFacts => ({
  kind: 'elevation',
  flowType: 'uac_intercept',
  at: '2026-11-20T10:00:00Z',
  siteId: null,
  subjectUserId: '00000000-0000-4000-8000-00000000000a',
  username: 'acme\\sarah',
  groups: [],
  path: 'C:\\Tools\\a.exe',
  hash: (stage === 'software' ? 'a' : 'b').repeat(64),
  signer: 'Vendor',
  parentImage: 'C:\\Windows\\explorer.exe',
});

/** A decision service with an empty cache; `sabotage` runs before one of its stages. */
const sabotaged = (stage: Stage, sabotage: () => Promise<void>, deadlineMs = PATIENT_MS) =>
  createDecider(service.deps, {
    deadlineMs,
    stages: (own): DecisionStages => ({
      ...own,
      software: async (...args) => {
        if (stage === 'software') await sabotage();
        return own.software(...args);
      },
      rules: async (...args) => {
        if (stage === 'rules') await sabotage();
        return own.rules(...args);
      },
    }),
  });

const left = { verdict: 'pending', because: 'failed', decidingRule: null, source: null, ruleSetVersion: '' };

/** A separate session that locks a table against reads. */
async function lockTable(table: string): Promise<{ release(): Promise<void> }> {
  const { postgres } = service.scratch;
  const client = new pg.Client({
    host: postgres.socketDir,
    port: postgres.port,
    user: postgres.superuser,
    password: postgres.password,
    database: service.scratch.name,
  });
  await client.connect();
  await client.query(`BEGIN; LOCK TABLE ${service.schema}.${table} IN ACCESS EXCLUSIVE MODE`);
  return { release: () => client.end() };
}

const endConnections = (): Promise<unknown> =>
  service.scratch.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND usename = '${service.schema}' AND state <> 'idle'`,
  );

describe.each<Stage>(['software', 'rules'])('the evaluator of %s', (stage) => {
  const facts = promptFor(stage);

  test('decides when nothing fails', async () => {
    const { evaluation } = await decideNow(
      sabotaged(stage, async () => {}),
      tenantId,
      facts,
    );
    expect(evaluation).toMatchObject({
      verdict: 'auto_approved',
      decidingRule: { id: stage === 'software' ? listed.id : rule.id },
    });
  });

  test('throws: the request waits for a person, and the next one is decided', async () => {
    let broken = true;
    const decider = sabotaged(stage, async () => {
      if (broken) throw new TypeError('a defect');
    });
    const { evaluation } = await decideNow(decider, tenantId, facts);
    expect(evaluation).toMatchObject(left);
    expect(evaluation.trace.steps).toMatchObject([
      { stage: stage === 'software' ? 'software_policy' : 'rules', outcome: 'failed' },
    ]);
    // The cause is only logged.
    expect(JSON.stringify(evaluation)).not.toContain('defect');
    broken = false;
    expect((await decideNow(decider, tenantId, facts)).evaluation.verdict).toBe('auto_approved');
  });

  test('throws instead of returning a rejected promise: the request waits for a person', async () => {
    const thrower = createDecider(service.deps, {
      stages: (own) => ({
        ...own,
        [stage]: () => {
          throw new RangeError('a defect');
        },
      }),
    });
    expect((await decideNow(thrower, tenantId, facts)).evaluation).toMatchObject(left);
  });

  test('never answers: the request waits for a person, and the next one is decided', async () => {
    let hangs = true;
    const decider = sabotaged(stage, () => (hangs ? new Promise(() => {}) : Promise.resolve()), 250);
    expect((await decideNow(decider, tenantId, facts)).evaluation).toMatchObject(left);
    hangs = false;
    const again = sabotaged(stage, async () => {});
    expect((await decideNow(again, tenantId, facts)).evaluation.verdict).toBe('auto_approved');
  });

  test('answers too late: the late answer is ignored', async () => {
    let answer: () => void = () => {};
    const late = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { evaluation } = await decideNow(
      sabotaged(stage, () => late, 100),
      tenantId,
      facts,
    );
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    expect(evaluation).toMatchObject(left);
  });

  test('its table is locked: the request waits for a person, and is decided after the lock ends', async () => {
    let locked: ReturnType<typeof lockTable> | undefined;
    const decider = sabotaged(
      stage,
      async () => {
        locked ??= lockTable('rule_revisions');
        await locked;
      },
      500,
    );
    // If a slow machine does not reach the evaluator in time, the request still waits for a person.
    await expect
      .poll(async () => {
        expect((await decideNow(decider, tenantId, facts)).evaluation).toMatchObject(left);
        return locked !== undefined;
      }, UNTIL)
      .toBe(true);
    // The lock can be granted after the decision has timed out.
    const lock = await locked!;
    // The same without the sabotage, while the lock is held.
    expect((await decideNow(decider, tenantId, facts)).evaluation).toMatchObject(left);
    await lock.release();
    await expect
      .poll(async () => (await decideNow(decider, tenantId, facts)).evaluation.verdict, UNTIL)
      .toBe('auto_approved');
  });

  test('cannot read its table: the request waits for a person until the permission is back', async () => {
    const { schema, scratch } = service;
    let revoking = true;
    const decider = sabotaged(stage, async () => {
      if (revoking) await scratch.query(`REVOKE SELECT ON ${schema}.rule_revisions FROM ${schema}`);
      revoking = false;
    });
    try {
      expect((await decideNow(decider, tenantId, facts)).evaluation).toMatchObject(left);
    } finally {
      await scratch.query(`GRANT SELECT ON ${schema}.rule_revisions TO ${schema}`);
    }
    expect((await decideNow(decider, tenantId, facts)).evaluation.verdict).toBe('auto_approved');
  });

  test('loses its connection while it reads: the request waits for a person, the next one is decided', async () => {
    const locked = Promise.withResolvers<{ release(): Promise<void> }>();
    let first = true;
    const decider = sabotaged(stage, async () => {
      if (!first) return;
      first = false;
      locked.resolve(await lockTable('rule_revisions'));
    });
    const deciding = decideNow(decider, tenantId, facts);
    const lock = await locked.promise;
    let isDecided = false;
    void deciding.then(() => {
      isDecided = true;
    });
    await expect
      .poll(async () => {
        await endConnections();
        return isDecided;
      }, UNTIL)
      .toBe(true);
    expect((await deciding).evaluation).toMatchObject(left);
    await lock.release();
    await expect
      .poll(async () => (await decideNow(decider, tenantId, facts)).evaluation.verdict, UNTIL)
      .toBe('auto_approved');
  });
});

test('while the version cannot be read, the cached version decides nothing', async () => {
  // Short, because the test waits for the timeout; a deadline that a slow machine reaches is tried again.
  const decider = createDecider(service.deps, { deadlineMs: 1_000 });
  const facts = promptFor('rules');
  await expect
    .poll(async () => (await decideNow(decider, tenantId, facts)).evaluation.verdict, UNTIL)
    .toBe('auto_approved');
  const lock = await lockTable('rule_set_heads');
  try {
    expect((await decideNow(decider, tenantId, facts)).evaluation).toMatchObject(left);
  } finally {
    await lock.release();
  }
  await expect
    .poll(async () => (await decideNow(decider, tenantId, facts)).evaluation.verdict, UNTIL)
    .toBe('auto_approved');
});

test('if the lists fail, no rule decides instead', async () => {
  const decider = sabotaged('software', async () => {
    throw new Error('lost');
  });
  for (const stage of ['software', 'rules'] as const)
    expect((await decideNow(decider, tenantId, promptFor(stage))).evaluation).toMatchObject(left);
});

test('a rule that ignores or denies does not decide either while it cannot be evaluated', async () => {
  const other = randomUUID();
  for (const verdict of ['ignore', 'auto_deny'] as const) {
    await service.deps.database.withTenant(other, (tx) =>
      changeRuleSet(tx, other, [{ kind: 'rule', objectId: rule.id, body: { ...rule, verdict } }]),
    );
    const decider = sabotaged('rules', async () => {
      throw new Error('lost');
    });
    expect((await decideNow(decider, other, promptFor('rules'))).evaluation).toMatchObject(left);
  }
});

test('invalid facts are left to a person', async () => {
  for (const facts of [undefined, null, 7, {}, { kind: 'elevation' }])
    expect((await decideNow(service.deps.decider, tenantId, facts as never)).evaluation.verdict).toBe(
      'pending',
    );
});

test.each<[string, object]>([
  ['an unknown time zone', { timeWindow: { start: '08:00', end: '09:00', timezone: 'Mars/Base' } }],
  ['no verdict', { verdict: null }],
  ['a pattern above the limits', { matchPathGlob: '*a'.repeat(5_000) }],
  ['an invalid rule', { authorIds: 'everybody' }],
])('H-191 a stored rule with %s leaves every prompt to a person', async (_, damage) => {
  const other = randomUUID();
  await service.deps.database.withTenant(other, (tx) =>
    changeRuleSet(tx, other, [{ kind: 'rule', objectId: rule.id, body: rule }]),
  );
  const { schema, scratch } = service;
  await scratch.query(
    `INSERT INTO ${schema}.rule_revisions (tenant_id, kind, object_id, from_version, body) VALUES ($1, 'rule', 'damaged', 1, $2)`,
    [other, JSON.stringify({ ...rule, id: 'damaged', ...damage })],
  );
  const { evaluation } = await decideNow(service.deps.decider, other, promptFor('rules'));
  expect(evaluation).toMatchObject({ verdict: 'pending', because: 'failed' });
});
