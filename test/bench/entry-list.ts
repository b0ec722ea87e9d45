import type { Network, TestTenant } from '@claviger/testkit';
import { median } from './print.ts';

const ROUNDS = 200;

/** Latency of pages of the entry list in a tenant with this many entries. */
export async function entryListLatency(
  network: Network,
  entries: number,
): Promise<{ firstMs: number; cursorMs: number; numberedMs: number }> {
  const tenant = await network.createTenant();
  await fillEntries(network, tenant, entries);
  const { client } = tenant.admin;
  const timed = async (path: string): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = performance.now();
      await client.must('GET', path);
      times.push(performance.now() - start);
    }
    return median(times);
  };
  const page = await client.must('GET', '/api/v1/vault/entries?pageSize=25&page=20');
  if (page.totalItems !== entries)
    throw new Error(`the list counts ${page.totalItems} entries of ${entries}`);
  return {
    firstMs: await timed('/api/v1/vault/entries?pageSize=25'),
    cursorMs: await timed(`/api/v1/vault/entries?pageSize=25&cursor=${page.nextCursor}`),
    numberedMs: await timed('/api/v1/vault/entries?pageSize=10&page=100'),
  };
}

/** Creates a tenant with this many entries; returns the id of the one that can be retrieved. */
export async function fillEntries(network: Network, tenant: TestTenant, entries: number): Promise<string> {
  const entry = await tenant.admin.client.must('POST', '/api/v1/vault/entries', {
    name: 'entry',
    type: 'note',
    secret: 'x',
  });
  // Copies a real entry by SQL, because a hundred thousand calls would take too long.
  await network.superuser(async (db) => {
    // Triggers of the service maintain the counters of the list.
    await db.query('SET search_path = vault');
    await db.query(
      `INSERT INTO vault.entries (tenant_id, id, name, type, current_version, created_by)
       SELECT tenant_id, gen_random_uuid(), 'entry ' || md5(n::text), type, 1, created_by FROM vault.entries, generate_series(2, $2::int) n
       WHERE tenant_id = $1`,
      [tenant.id, entries],
    );
    await db.query('ANALYZE vault.entries');
  });
  return entry.id as string;
}
