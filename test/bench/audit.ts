/**
 * Measures the audit pipeline on this machine; asserts nothing. `node test/bench/audit.ts [--seconds N]
 * [--events N]`. Prints events a second through outbox, JetStream and sequencing, the age of the oldest
 * unsequenced event, and export rows a second.
 */
import { parseArgs } from 'node:util';
import { type Network, startNetwork } from '@claviger/testkit';
import { fillLog, openExport } from './export.ts';
import { auditedRetrieve } from './load.ts';
import { row } from './print.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, events: { type: 'string', default: '100000' } },
});
const seconds = Number(values.seconds);
const LOOK_EVERY_MS = 250;

interface Progress {
  readonly sealed: number;
  readonly waiting: number;
  /** Age of the oldest event that waits in an outbox or for its sequence number. */
  readonly oldestMs: number;
}

/** Progress of the events of a tenant. */
function progress(network: Network, tenantId: string): Promise<Progress> {
  return network.superuser(async (db) => {
    const { rows } = await db.query<Progress>(
      `SELECT (SELECT count(*)::int FROM audit.events WHERE tenant_id = $1 AND sequence IS NOT NULL) AS sealed,
         count(*)::int AS waiting,
         coalesce(extract(epoch FROM clock_timestamp() - min(since)) * 1000, 0)::int AS "oldestMs"
       FROM (
         SELECT outbox.created_at AS since FROM vault.outbox LEFT JOIN audit.events USING (tenant_id, event_id)
         WHERE tenant_id = $1 AND outbox.kind = 'audit' AND (published_at IS NULL OR events.event_id IS NULL)
         UNION ALL SELECT occurred_at FROM audit.events WHERE tenant_id = $1 AND sequence IS NULL) AS unsealed`,
      [tenantId],
    );
    return rows[0]!;
  });
}

const started = await startNetwork({ logLevel: 'warn' });
try {
  const { network } = started;
  const tenant = await network.createTenant();
  const entry = await tenant.admin.client.must('POST', '/api/v1/vault/entries', {
    name: 'bench',
    type: 'note',
    secret: 'x'.repeat(32),
  });
  console.log(
    `\nEvents through outbox, JetStream and sealing while secrets are retrieved over 16 connections for ${seconds} s`,
  );
  console.log(row(['written/s', 'sealed/s', 'oldest p50', 'oldest max', 'drained ms']));
  const ages: number[] = [];
  let loading = true;
  const first = await progress(network, tenant.id);
  const start = performance.now();
  const watching = (async () => {
    while (loading) {
      ages.push((await progress(network, tenant.id)).oldestMs);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  const load = await auditedRetrieve(network, tenant, entry.id as string, 16, seconds);
  loading = false;
  await watching;
  const loadedMs = performance.now() - start;
  const atEnd = await progress(network, tenant.id);
  let last = atEnd;
  while (last.waiting > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    last = await progress(network, tenant.id);
  }
  ages.sort((a, b) => a - b);
  console.log(
    row([
      load.perSecond.toFixed(0),
      (((atEnd.sealed - first.sealed) / loadedMs) * 1_000).toFixed(0),
      ages[Math.floor(ages.length / 2)] ?? 0,
      ages.at(-1) ?? 0,
      (performance.now() - start - loadedMs).toFixed(0),
    ]),
  );

  const events = Number(values.events);
  const large = await network.createTenant();
  await fillLog(network, large, events);
  console.log(`\nExport of ${events} events through the gateway`);
  console.log(row(['format', 'rows/s', 'MB/s']));
  for (const format of ['csv', 'json']) {
    const begin = performance.now();
    let bytes = 0;
    const answer = await openExport(network, large.admin.token, `format=${format}&action=vault.*`);
    for await (const chunk of answer.chunks) bytes += chunk.length;
    const tookS = (performance.now() - begin) / 1_000;
    console.log(row([format, (events / tookS).toFixed(0), (bytes / tookS / 1e6).toFixed(1)]));
  }
} finally {
  await started[Symbol.asyncDispose]();
}
