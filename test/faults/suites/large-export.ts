import { eventually, type TestTenant } from '@claviger/testkit';
import { beforeAll, expect, test } from 'vitest';
import { fillLog, openExport, residentBytes } from '../../bench/export.ts';
import type { Topology } from '../../support/topology.ts';

const REASON_LENGTH = 4_000;

/**
 * An export is complete and streams at the pace of its reader, while the memory of the services grows by at
 * most `maxGrowthBytes`. Each of the `events` has a reason of 4,000 characters.
 */
export function largeExport(
  topology: Topology,
  events: number,
  maxGrowthBytes = Number.POSITIVE_INFINITY,
): void {
  /** Each run of a duty reads some rows; an export reads thousands in the same time. */
  const IDLE_ROWS = 200;

  let tenant: TestTenant;
  beforeAll(async () => {
    tenant = await topology.network.createTenant();
    await fillLog(topology.network, tenant, events, REASON_LENGTH);
  });

  const memory = () =>
    ['gateway-1', 'audit-1'].map((node) => residentBytes(topology.installation.pid(node)!));
  const open = (query: string) => openExport(topology.network, tenant.admin.token, query);

  // Runs first, because statistics of earlier exports could arrive during this one.
  test('the export waits for a client that does not read, and ends when the client disconnects', async () => {
    const fetched = () =>
      topology.network.superuser(async (db) => {
        const { rows } = await db.query<{ n: number }>(
          `SELECT (coalesce(idx_tup_fetch, 0) + seq_tup_read)::float8 AS n FROM pg_stat_user_tables
         WHERE schemaname = 'audit' AND relname = 'events'`,
        );
        return rows[0]!.n;
      });
    /** PostgreSQL reports the reads of an idle connection after up to ten seconds. */
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
    expect((await settled()) - before).toBeLessThan(events / 2);
    await iterator.return?.();
    expect((await settled(WHOLE)) - before).toBeLessThan(events / 2);
  });

  test.each([
    ['csv', 'text/csv; charset=utf-8', 'audit-events-export.csv', /\r\n/g, 1],
    ['json', 'application/json', 'audit-events-export.json', /"leafHash":/g, 0],
  ])(
    '%s of any size is complete and streams within its memory limit',
    async (format, type, file, mark, extra) => {
      // The base memory of an export does not count as growth.
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
      let found = -extra;
      let rest = '';
      let chunks = 0;
      const growth = [0, 0];
      for await (const chunk of answer.chunks) {
        bytes += chunk.length;
        const text = rest + chunk.toString('latin1');
        const marks = [...text.matchAll(mark)];
        found += marks.length;
        const last = marks.at(-1);
        // A mark can span two chunks and must be counted once.
        rest = text.slice(Math.max(last ? last.index + last[0].length : 0, text.length - 20));
        chunks += 1;
        if (chunks % 100 === 0)
          for (const [index, now] of memory().entries())
            growth[index] = Math.max(growth[index]!, now - before[index]!);
      }
      expect(found).toBe(events);
      expect(bytes).toBeGreaterThan(events * REASON_LENGTH);
      expect(Math.max(...growth)).toBeLessThan(maxGrowthBytes);
    },
  );
}
