import { randomUUID } from 'node:crypto';
import {
  eventually,
  type ScratchDatabase,
  type ScratchSchema,
  startScratchDatabase,
} from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  anyOf,
  applyTenantStatus,
  createDatabase,
  type Database,
  migrate,
  ofActiveTenant,
  requireActiveTenant,
  type TenantStatus,
  type TenantStatusSchema,
  tenantStatusMigration,
} from './index.ts';

let scratch: ScratchDatabase;
let schema: ScratchSchema;
let database: Database<TenantStatusSchema>;

beforeAll(async () => {
  scratch = await startScratchDatabase();
  schema = await scratch.createSchema();
  await migrate(schema, [tenantStatusMigration]);
  database = createDatabase<TenantStatusSchema>(schema);
});

afterAll(async () => {
  await database?.close();
  await scratch?.[Symbol.asyncDispose]();
});

const apply = (tenantId: string, status: TenantStatus, version: number) =>
  database.withTenant(tenantId, (tx) => applyTenantStatus(tx, tenantId, { status, version }));
const ask = (tenantId: string, queuedAt?: Date) =>
  database
    .withTenant(tenantId, (tx) => requireActiveTenant(tx, { queuedAt }))
    .then(
      () => 'active',
      (error: { code: string }) => error.code,
    );

test('a tenant without a stored status is active; only a suspended one is refused', async () => {
  const [tenant, other] = [randomUUID(), randomUUID()];
  expect(await ask(tenant)).toBe('active');
  expect(await apply(tenant, 'suspended', 2)).toEqual({ changed: true, before: 'active' });
  expect([await ask(tenant), await ask(other)]).toEqual(['tenant_suspended', 'active']);
});

test('F-32 a repeated or late message changes nothing, and deprovisioning is final', async () => {
  const tenant = randomUUID();
  await apply(tenant, 'suspended', 4);
  expect(await apply(tenant, 'active', 3)).toEqual({ changed: false, before: 'suspended' });
  expect(await apply(tenant, 'active', 4)).toEqual({ changed: false, before: 'suspended' });
  expect(await ask(tenant)).toBe('tenant_suspended');
  await apply(tenant, 'deprovisioned', 5);
  await expect(apply(tenant, 'active', 6)).rejects.toThrow();
  expect(await ask(tenant)).toBe('tenant_deprovisioned');
});

test('jobs queued before a reinstatement are refused, later ones run', async () => {
  const tenant = randomUUID();
  const clock = async () => (await scratch.query<{ now: Date }>('SELECT clock_timestamp() AS now'))[0]!.now;
  const before = await clock();
  await apply(tenant, 'suspended', 2);
  await apply(tenant, 'active', 3);
  // The driver cuts dates to milliseconds.
  const after = new Date((await clock()).getTime() + 1);
  expect(await ask(tenant, before)).toBe('queued_before_reinstatement');
  expect([await ask(tenant, after), await ask(tenant)]).toEqual(['active', 'active']);
});

test('a suspension waits for transactions that rely on the former status', async () => {
  const tenant = randomUUID();
  const { promise: goOn, resolve: letGoOn } = Promise.withResolvers<void>();
  const { promise: relied, resolve: hasRelied } = Promise.withResolvers<void>();
  const order: string[] = [];
  const duty = database.withTenant(tenant, async (tx) => {
    await requireActiveTenant(tx);
    hasRelied();
    await goOn;
    order.push('duty');
  });
  await relied;
  // It waits two seconds for them, and is repeated.
  const suspension = eventually(() => apply(tenant, 'suspended', 2)).then(() => order.push('suspension'));
  await eventually(async () => {
    const [row] = await scratch.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_locks JOIN pg_database d ON d.oid = database
       WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`,
    );
    expect(row?.waiting).toBe(1);
  });
  letGoOn();
  await Promise.all([duty, suspension]);
  expect(order).toEqual(['duty', 'suspension']);
});

test('the system role finds due rows of active tenants only, and cannot change a status', async () => {
  const [suspended, back] = [randomUUID(), randomUUID()];
  await apply(suspended, 'suspended', 2);
  await apply(back, 'suspended', 2);
  await apply(back, 'active', 3);
  const found = await database.system((tx) =>
    tx
      .selectFrom('tenant_standings')
      .select('tenant_id')
      .where('tenant_id', '=', anyOf([suspended, back], 'uuid'))
      .where(ofActiveTenant('tenant_standings.tenant_id'))
      .execute(),
  );
  expect(found.map((row) => row.tenant_id)).toEqual([back]);
  await expect(
    database.system((tx) => tx.updateTable('tenant_standings').set({ version: 9 }).execute()),
  ).rejects.toMatchObject({ code: '42501' });
});
