import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ScratchDatabase, startScratchDatabase } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate, migrationsIn } from './index.ts';

let scratch: ScratchDatabase;
beforeAll(async () => {
  scratch = await startScratchDatabase();
});
afterAll(() => scratch?.[Symbol.asyncDispose]());

const table = (name: string) => ({
  name: `0001-${name}`,
  sql: `CREATE TABLE ${name} (tenant_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant_id, id)); CALL tenant_table('${name}');`,
});
const second = { name: '0002-more', sql: 'ALTER TABLE a ADD COLUMN more text;' };

async function columns(schema: string): Promise<string[]> {
  const rows = await scratch.query<{ c: string }>(
    `SELECT table_name || '.' || column_name AS c FROM information_schema.columns WHERE table_schema = $1 AND table_name <> 'schema_migrations' ORDER BY 1`,
    [schema],
  );
  return rows.map((row) => row.c);
}

test('each migration is applied once, in order', async () => {
  const schema = await scratch.createSchema();
  expect(await migrate(schema, [table('a')])).toEqual(['0001-a']);
  expect(await migrate(schema, [table('a'), second])).toEqual(['0002-more']);
  expect(await migrate(schema, [table('a'), second])).toEqual([]);
  expect(await columns(schema.schema)).toEqual(['a.id', 'a.more', 'a.tenant_id']);
});

test('F-40 a run that was killed midway can be repeated', async () => {
  const schema = await scratch.createSchema();
  const slow = { name: '0002-more', sql: `${second.sql} SELECT pg_sleep(20);` };
  const killed = migrate(schema, [table('a'), slow]).then(
    () => undefined,
    (error: Error) => error,
  );
  await expect
    .poll(() =>
      scratch.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND wait_event = 'PgSleep'`,
        [schema.ownerUser],
      ),
    )
    .toHaveLength(1);
  expect((await killed)?.message).toMatch(/^The migration 0002-more failed/);
  expect(await columns(schema.schema)).toEqual(['a.id', 'a.tenant_id']);
  expect(await migrate(schema, [table('a'), second])).toEqual(['0002-more']);
});

test('a failed migration is rolled back and named in the error', async () => {
  const schema = await scratch.createSchema();
  const broken = {
    name: '0002-broken',
    sql: 'ALTER TABLE a ADD COLUMN kept text; ALTER TABLE nothing ADD COLUMN x text;',
  };
  await expect(migrate(schema, [table('a'), broken])).rejects.toThrow(/0002-broken failed: .*nothing/);
  expect(await columns(schema.schema)).toEqual(['a.id', 'a.tenant_id']);
});

test('a migration that was changed after it was applied is refused', async () => {
  const schema = await scratch.createSchema();
  await migrate(schema, [table('a')]);
  await expect(migrate(schema, [{ ...table('a'), sql: `${table('a').sql} -- changed` }])).rejects.toThrow(
    /0001-a was changed/,
  );
});

test('F-40 a schema that is newer than the program is refused', async () => {
  const schema = await scratch.createSchema();
  await migrate(schema, [table('a'), second]);
  await expect(migrate(schema, [table('a')])).rejects.toThrow(/newer than this program \(0002-more\)/);
});

test.each([
  ['a table without row-level security', 'CREATE TABLE bare (tenant_id uuid)'],
  [
    'a table whose owner bypasses it',
    'CREATE TABLE bare (tenant_id uuid); ALTER TABLE bare ENABLE ROW LEVEL SECURITY',
  ],
  [
    'a partition without it',
    `CREATE TABLE p (tenant_id uuid, n int) PARTITION BY LIST (n); CALL tenant_table('p'); CREATE TABLE bare PARTITION OF p FOR VALUES IN (1)`,
  ],
  [
    'a view with the rights of its owner',
    `CREATE TABLE t (tenant_id uuid); CALL tenant_table('t'); CREATE VIEW bare AS SELECT * FROM t`,
  ],
  [
    'a materialized view',
    `CREATE TABLE t (tenant_id uuid); CALL tenant_table('t'); CREATE MATERIALIZED VIEW bare AS SELECT * FROM t`,
  ],
])('%s is refused, and the error names it', async (_, sql) => {
  await expect(migrate(await scratch.createSchema(), [{ name: '0001-x', sql }])).rejects.toThrow(/\bbare\b/);
});

test('a table without tenants must say why; a view may run with the rights of its reader', async () => {
  const sql = `
    CREATE TABLE setting (name text); COMMENT ON TABLE setting IS 'tenantless: of the platform';
    CREATE TABLE t (tenant_id uuid); CALL tenant_table('t');
    CREATE VIEW v WITH (security_invoker = true) AS SELECT * FROM t;`;
  expect(await migrate(await scratch.createSchema(), [{ name: '0001-x', sql }])).toEqual(['0001-x']);
});

test('F-40 replicas that start together wait without limit for the one that migrates', async () => {
  const schema = await scratch.createSchema();
  const migrations = [{ ...table('a'), sql: `${table('a').sql} SELECT pg_sleep(6);` }, second];
  const done = await Promise.all([1, 2, 3].map(() => migrate(schema, migrations)));
  expect(done.flat().sort()).toEqual(['0001-a', '0002-more']);
});

test('the files of a folder are used in the order of their names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-migrations-'));
  for (const name of ['0010-c.sql', '0002-b.sql', '0001-a.sql', 'README.md'])
    writeFileSync(join(folder, name), `-- ${name}`);
  expect(migrationsIn(folder)).toEqual([
    { name: '0001-a', sql: '-- 0001-a.sql' },
    { name: '0002-b', sql: '-- 0002-b.sql' },
    { name: '0010-c', sql: '-- 0010-c.sql' },
  ]);
  rmSync(folder, { recursive: true });
});
