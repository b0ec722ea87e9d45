import { eventually, type StartedNetwork, startNetwork, type TestTenant } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillLog, openExport, residentBytes } from '../bench/export.ts';

const EVENTS = 30_000;
const REASON_LENGTH = 4_000;
/** Far less than what is exported, and more than garbage that waits to be collected. */
const MAX_GROWTH_BYTES = 160 * 1_024 * 1_024;

/** Duties look at some rows in each of their runs; an export takes thousands in the same time. */
const IDLE_ROWS = 200;

let started: StartedNetwork;
let tenant: TestTenant;
beforeAll(async () => {
  started = await startNetwork();
  tenant = await started.network.createTenant();
  await fillLog(started.network, tenant, EVENTS, REASON_LENGTH);
});
afterAll(async () => started?.[Symbol.asyncDispose]());

const memory = () => ['gateway-1', 'audit-1'].map((node) => residentBytes(started.installation.pid(node)!));
const open = (query: string) => openExport(started.network, tenant.admin.token, query);

// First: what other exports have read would be told while this one is watched.
test('a client that reads nothing is waited for, and one that leaves ends the reading of the log', async () => {
  const fetched = () =>
    started.network.superuser(async (db) => {
      const { rows } = await db.query<{ n: number }>(
        `SELECT (coalesce(idx_tup_fetch, 0) + seq_tup_read)::float8 AS n FROM pg_stat_user_tables
         WHERE schemaname = 'audit' AND relname = 'events'`,
      );
      return rows[0]!.n;
    });
  /** PostgreSQL tells what an idle connection has read after up to ten seconds: a run this long misses nothing. */
  const WHOLE = 22;
  const settled = async (quiet = 4) => {
    let last = -1;
    let same = 0;
    return eventually(
      async () => {
        const now = await fetched();
        same = last >= 0 && now - last < IDLE_ROWS ? same + 1 : 0;
        last = now;
        if (same < quiet) throw new Error('still reading');
        return now;
      },
      { timeoutMs: 60_000, intervalMs: 500 },
    );
  };
  const before = await settled();
  const answer = await open('format=csv');
  const iterator = answer.chunks[Symbol.asyncIterator]();
  await iterator.next();
  expect((await settled()) - before).toBeLessThan(EVENTS / 2);
  await iterator.return?.();
  expect((await settled(WHOLE)) - before).toBeLessThan(EVENTS / 2);
});

test.each([
  ['csv', 'text/csv; charset=utf-8', 'audit-events-export.csv', /\r\n/g, 1],
  ['json', 'application/json', 'audit-events-export.json', /"leafHash":/g, 0],
])('%s of any size streams in flat memory', async (format, type, file, mark, extra) => {
  // What it takes to do this at all is not growth.
  for await (const _ of (await open(`format=${format}&to=2026-01-01`)).chunks);
  const before = memory();
  const answer = await open(`format=${format}&from=2026-01-01&to=2026-03-01&action=vault.*`);
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': type,
    'content-disposition': `attachment; filename="${file}"`,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  let bytes = 0;
  let events = -extra;
  let rest = '';
  let chunks = 0;
  const growth = [0, 0];
  for await (const chunk of answer.chunks) {
    bytes += chunk.length;
    const text = rest + chunk.toString('latin1');
    const found = [...text.matchAll(mark)];
    events += found.length;
    const last = found.at(-1);
    // A mark can lie across two pieces, and must not be counted in both.
    rest = text.slice(Math.max(last ? last.index + last[0].length : 0, text.length - 20));
    chunks += 1;
    if (chunks % 100 === 0)
      for (const [index, now] of memory().entries())
        growth[index] = Math.max(growth[index]!, now - before[index]!);
  }
  expect(events).toBe(EVENTS);
  expect(bytes).toBeGreaterThan(100_000_000);
  expect(Math.max(...growth)).toBeLessThan(MAX_GROWTH_BYTES);
});
