import { randomUUID } from 'node:crypto';
import { soleLeadership } from '@claviger/cluster';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RightsBench, startRights } from '../../rights-support.ts';
import { purgeEntry } from './purge-entry.ts';

let bench: RightsBench;
beforeAll(async () => {
  bench = await startRights();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

const ENTRIES = '/claviger.vault.v1.EntriesService';
const deps = () => ({ ...bench.deps, config: { ...bench.deps.config, purge: { retentionDays: 30 } } });

async function deletedEntry() {
  const owner = bench.person(randomUUID(), ['vault.*']);
  const call = (name: string, fields: object) => bench.call(`${ENTRIES}/${name}`, owner, fields);
  const { entry } = (await call('CreateEntry', { name: 'root', secret: 'canary' })) as {
    entry: { id: string };
  };
  const entryId = entry.id;
  await call('UpdateEntry', { entryId, secret: 'canary-2' });
  await call('RetrieveEntry', { entryId, reason: 'why' });
  await call('DeleteEntry', { entryId });
  return { tenantId: owner.tenantId, entryId };
}

const rows = (text: string, ...values: unknown[]) =>
  bench.scratch.query<Record<string, unknown>>(text.replaceAll('vault.', `${bench.schema}.`), values);
const age = (entryId: string, days: number) =>
  rows(
    `UPDATE vault.entries SET deleted_at = now() - make_interval(days => $2) WHERE id = $1`,
    entryId,
    days,
  );
const bytesOf = (entryId: string) =>
  rows(
    `SELECT kek_id, length(wrapped_cek) + length(iv) + length(ciphertext) + length(tag) + length(commitment) AS bytes,
       length(blob_sha256) AS hash FROM vault.entry_versions WHERE entry_id = $1 ORDER BY version`,
    entryId,
  );

test('a deleted entry keeps its keys for its retention; then they are removed once, and its exposures stay', async () => {
  const { tenantId, entryId } = await deletedEntry();
  await age(entryId, 29);
  expect(await purgeEntry(deps(), tenantId, entryId, soleLeadership)).toBe(false);
  expect((await bytesOf(entryId)).every(({ bytes }) => Number(bytes) > 0)).toBe(true);

  await age(entryId, 31);
  const both = await Promise.all([1, 2].map(() => purgeEntry(deps(), tenantId, entryId, soleLeadership)));
  expect(both.toSorted()).toEqual([false, true]);
  expect(await bytesOf(entryId)).toEqual([
    { kek_id: null, bytes: 0, hash: 32 },
    { kek_id: null, bytes: 0, hash: 32 },
  ]);
  const seen = await rows('SELECT version FROM vault.exposure_paths WHERE entry_id = $1', entryId);
  expect(seen.length).toBeGreaterThanOrEqual(2);
  const events = await rows(
    `SELECT payload::jsonb AS event FROM vault.outbox WHERE payload::jsonb ->> 'action' = $2
       AND payload LIKE '%' || $1::text || '%'`,
    entryId,
    'vault.entry.purged',
  );
  expect(events.map(({ event }) => (event as { details: object }).details)).toEqual([
    expect.objectContaining({ versions: 2, retentionDays: 30 }),
  ]);
});

test('the database refuses to purge a version of an active entry, or to change a purged one', async () => {
  const { tenantId, entryId } = await deletedEntry();
  await age(entryId, 31);
  const owner = bench.person(tenantId, ['vault.*']);
  const { entry } = (await bench.call(`${ENTRIES}/CreateEntry`, owner, { name: 'kept', secret: 'kept' })) as {
    entry: { id: string };
  };
  const asService = (change: string, of: string) =>
    bench.deps.database.withTenant(tenantId, (tx) =>
      sql`UPDATE entry_versions SET ${sql.raw(change)} WHERE entry_id = ${of}`.execute(tx),
    );
  const purge =
    "purged_at = now(), kek_id = NULL, wrapped_cek = '', iv = '', ciphertext = '', tag = '', commitment = ''";
  await expect(asService(purge, entry.id)).rejects.toThrow('only versions of a deleted entry are purged');
  await expect(asService(`${purge}, blob_sha256 = ''`, entryId)).rejects.toThrow(
    'a purge removes secrets and nothing else',
  );
  await purgeEntry(deps(), tenantId, entryId, soleLeadership);
  await expect(asService('purged_at = NULL', entryId)).rejects.toThrow('a purged version never changes');
});
