import { randomBytes, randomUUID } from 'node:crypto';
import { soleLeadership } from '@claviger/cluster';
import { methods } from '@claviger/contracts';
import { createDatabase, type Database, migrate } from '@claviger/database';
import type { CallContext, IdempotentCall } from '@claviger/service-kit';
import { type ScratchDatabase, type ScratchSchema, startScratchDatabase } from '@claviger/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimKey, createIdempotency, idempotencyMigration, mayKeepAnswer, removeOldKeys } from './index.ts';

const method = methods.get('/claviger.vault.v1.EntriesService/CreateEntry')!;
let scratch: ScratchDatabase;
let schema: ScratchSchema;
let database: Database<unknown>;
let guard: ReturnType<typeof createIdempotency>;
let context: CallContext;

beforeAll(async () => {
  scratch = await startScratchDatabase();
  schema = await scratch.createSchema();
  await migrate(schema, [idempotencyMigration]);
  database = createDatabase({ ...schema, poolSize: 4 });
  guard = createIdempotency({ database, macKey: randomBytes(32) });
});
afterAll(async () => {
  await database?.close();
  await scratch?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  context = contextOf(randomUUID(), randomUUID());
});

/** The parts of a call's context that keys depend on. */
function contextOf(tenantId: string, userId: string): CallContext {
  return { method, tenantId, actor: { userId }, auditTenantId: undefined } as CallContext;
}

const call = (key = 'k', body = 'body', of = context): IdempotentCall =>
  guard.callOf(of, key, Buffer.from(body));

const claim = (one: IdempotentCall, of = context): Promise<void> =>
  database.withTenant(of.tenantId, (tx) =>
    claimKey(tx, { ...of, tenantId: of.tenantId, idempotentCall: one }, { type: 'entry', id: 'e-1' }),
  );

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );

test('an effect is found by its key only', async () => {
  const first = call();
  expect(await guard.find(context.tenantId, call())).toBeUndefined();
  await claim(first);
  await guard.keep(context.tenantId, first, Buffer.from('answer'));
  expect((await guard.find(context.tenantId, call()))?.toString()).toBe('answer');
  expect(await guard.find(context.tenantId, call('other'))).toBeUndefined();
  expect(await codeOf(guard.find(context.tenantId, call('k', 'another body')))).toBe(
    'idempotency_key_reused',
  );
  const colleague = contextOf(context.tenantId, randomUUID());
  expect(await guard.find(colleague.tenantId, call('k', 'body', colleague))).toBeUndefined();
  expect(await guard.find(randomUUID(), call())).toBeUndefined();
});

test('a rolled-back effect leaves no key', async () => {
  const failed = database.withTenant(context.tenantId, async (tx) => {
    await claimKey(tx, { ...context, tenantId: context.tenantId, idempotentCall: call() }, undefined);
    throw new Error('the effect failed');
  });
  await expect(failed).rejects.toThrow('the effect failed');
  expect(await guard.find(context.tenantId, call())).toBeUndefined();
});

test('one of two concurrent transactions commits; a call may commit several', async () => {
  const [one, two] = [call(), call()];
  const outcomes = await Promise.all([claim(one), claim(two)].map(codeOf));
  expect(outcomes.toSorted()).toEqual(['done', 'request_in_progress']);
  const winner = outcomes[0] === 'done' ? one : two;
  expect(await codeOf(claim(winner))).toBe('done');
});

test('a released attempt may be repeated, and only its own attempt releases a key', async () => {
  const first = call();
  await claim(first);
  await guard.release(context.tenantId, call());
  expect(await codeOf(claim(call()))).toBe('request_in_progress');
  await guard.release(context.tenantId, first);
  expect(await guard.find(context.tenantId, call())).toBeUndefined();
  expect(await codeOf(claim(call()))).toBe('done');
});

test('without a stored answer, the refusal says what was done', async () => {
  const madeAt = (ago: string) =>
    scratch.query(
      `UPDATE ${schema.schema}.idempotency_keys SET created_at = now() - $2::interval WHERE tenant_id = $1`,
      [context.tenantId, ago],
    );
  await claim(call());
  // Never recent enough to be certain on a slow machine.
  await madeAt('-1 hour');
  expect(await codeOf(guard.find(context.tenantId, call()))).toBe('request_in_progress');
  await madeAt('1 minute');
  const refusal = await guard.find(context.tenantId, call()).catch((error: Error) => error);
  expect(refusal).toMatchObject({ code: 'idempotency_replayed' });
  expect((refusal as Error).message).toContain('entry e-1');
});

test('a key can be reused after a day, and the clean-up deletes it', async () => {
  await claim(call());
  const age = () =>
    scratch.query(
      `UPDATE ${schema.schema}.idempotency_keys SET created_at = now() - interval '25 hours' WHERE tenant_id = $1`,
      [context.tenantId],
    );
  await age();
  expect(await guard.find(context.tenantId, call('k', 'new'))).toBeUndefined();
  await claim(call('k', 'new'));
  await age();
  await claim(call('young'));
  expect(await removeOldKeys(database, soleLeadership)).toEqual({ rows: 1, hasMore: false });
  const left = await scratch.query(`SELECT 1 FROM ${schema.schema}.idempotency_keys WHERE tenant_id = $1`, [
    context.tenantId,
  ]);
  expect(left).toHaveLength(1);
});

describe('an answer is stored', () => {
  test('only if all of it is public', () => {
    const kept = [...methods.values()].filter((each) => each.policy && mayKeepAnswer(each));
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.filter((each) => each.policy!.discloses)).toEqual([]);
    expect(kept).toContain(method);
    expect(kept).not.toContain(methods.get('/claviger.vault.v1.EntriesService/RetrieveEntry'));
  });
});
