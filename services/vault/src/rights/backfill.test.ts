import { randomUUID } from 'node:crypto';
import { createDatabase, migrate } from '@claviger/database';
import { startScratchDatabase } from '@claviger/testkit';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { migrations } from '../migrate-vault.ts';
import type { VaultSchema } from '../schema.ts';

test('entries and resources of an existing installation belong to their creators, and shares stay', async () => {
  await using scratch = await startScratchDatabase();
  const schema = await scratch.createSchema();
  const { schema: name } = schema;
  const first = migrations.findIndex((migration) => migration.name.startsWith('0007-'));
  await migrate(schema, migrations.slice(0, first));
  const [tenantId, creator, sharer, asset, owned, foreign] = Array.from({ length: 6 }, () => randomUUID());
  const database = createDatabase<VaultSchema>(schema);
  await database.withTenant(tenantId!, async (tx) => {
    await sql`INSERT INTO assets (tenant_id, id, name, type, created_by)
      VALUES (${tenantId}, ${asset}, 'db', 'server', ${creator})`.execute(tx);
    for (const [id, by] of [
      [owned, creator],
      [foreign, 'vault'],
    ]) {
      await sql`INSERT INTO entries (tenant_id, id, name, type, current_version, created_by)
        VALUES (${tenantId}, ${id}, ${id}, 'note', 1, ${by})`.execute(tx);
    }
    await sql`INSERT INTO shares (tenant_id, entry_id, user_id, access, granted_by)
      VALUES (${tenantId}, ${owned}, ${sharer}, 'manage', ${creator})`.execute(tx);
  });
  await database.close();
  await migrate(schema, migrations);
  const access = (entryId: string, userId: string) =>
    scratch.query(
      `SELECT e.owner_id, ${name}.standing_access(e.owner_id, s.access, $2::uuid, false) AS access
       FROM ${name}.entries e LEFT JOIN ${name}.shares s ON s.entry_id = e.id AND s.user_id = $2::uuid WHERE e.id = $1`,
      [entryId, userId],
    );
  expect(await access(owned!, creator!)).toEqual([{ owner_id: creator, access: 'full' }]);
  expect(await access(owned!, sharer!)).toEqual([{ owner_id: creator, access: 'full' }]);
  expect(await access(foreign!, creator!)).toEqual([{ owner_id: null, access: 'none' }]);
  expect(await scratch.query(`SELECT owner_id FROM ${name}.assets`)).toEqual([{ owner_id: creator }]);
  // Row-level security applies to the tables' owner again.
  expect(
    await scratch.query(
      `SELECT relname FROM pg_class WHERE relnamespace = '${name}'::regnamespace AND relname IN ('entries', 'assets')
       AND NOT relforcerowsecurity`,
    ),
  ).toEqual([]);
});
