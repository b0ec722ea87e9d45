/**
 * Measures the effect of costly operations of one tenant on another tenant; asserts nothing. `node
 * test/bench/costly.ts [--seconds N] [--decisions N] [--events N] [--rules N] [--callers N]`. One tenant
 * retrieves and lists entries, first alone, then while another replays and lints its rules, searches its
 * audit log and exports it. All processes share the cores: only the ratios of one run are comparable.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type Network, startNetwork, type TestTenant } from '@claviger/testkit';
import { fillEntries } from './entry-list.ts';
import { fillLog } from './export.ts';
import { putRules } from './ingest.ts';
import { auditedRetrieve, type LoadResult, listEntries } from './load.ts';
import { row } from './print.ts';
import type { Storm } from './storm-thread.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    decisions: { type: 'string', default: '100000' },
    events: { type: 'string', default: '100000' },
    rules: { type: 'string', default: '2000' },
    callers: { type: 'string', default: '4' },
  },
});
const [seconds, decisions, events] = [values.seconds, values.decisions, values.events].map(Number);
const [rules, callers] = [values.rules, values.callers].map(Number);
const CONNECTIONS = 4;

/** Stores decisions of the last 20 days, by SQL because a hundred thousand prompts would take too long. */
function fillHistory(network: Network, { id }: TestTenant, count: number): Promise<void> {
  return network.superuser(async (db) => {
    await db.query(
      `INSERT INTO workflow.evaluations (tenant_id, id, request_id, kind, rule_set_version, facts, verdict, because, label, trace,
         answer, decided_at)
       SELECT $1, gen_random_uuid(), gen_random_uuid(), 'elevation', 1,
         jsonb_build_object('kind', 'elevation', 'flowType', 'uac_intercept', 'at', '2026-11-20T10:00:00Z', 'siteId', null,
           'subjectUserId', null, 'username', 'acme\\user' || n % 300, 'groups', jsonb_build_array('Helpdesk'),
           'path', 'C:\\Apps\\app' || n % 4000 || '\\v1\\setup.exe', 'hash', lpad(to_hex(n % 4000), 64, '0'),
           'signer', 'Vendor ' || n % 4000, 'parentImage', 'C:\\Windows\\explorer.exe'),
         'pending', 'no_rule', 'request ' || n, '{"steps": [], "omitted": 0}', '{}',
         now() - n * interval '20 days' / $2::int
       FROM generate_series(1, $2::int) n`,
      [id, count],
    );
    await db.query('ANALYZE workflow.evaluations');
  });
}

/** Stops the costly calls and returns their results. */
async function startStorm(network: Network, tenant: TestTenant): Promise<() => Promise<string>> {
  const storm: Storm = {
    url: network.access.urls[0]!,
    caCertificate: network.access.caCertificate,
    token: await tenant.signIn(tenant.admin.username, tenant.admin.password),
    callers: callers!,
  };
  const thread = new Worker(join(import.meta.dirname, 'storm-thread.ts'), { workerData: storm });
  await once(thread, 'online');
  return async () => {
    const answered = once(thread, 'message');
    thread.postMessage('end');
    const [answers] = (await answered) as [Record<string, number>];
    await thread.terminate();
    return JSON.stringify(answers);
  };
}

const started = await startNetwork({ logLevel: 'warn' });
try {
  const { network } = started;
  const other = await network.createTenant();
  const entryId = await fillEntries(network, other, 1_000);
  const costly = await network.createTenant();
  await putRules(network, costly, rules!);
  await fillHistory(network, costly, decisions!);
  await fillLog(network, costly, events!);
  const measure = (length: number): Promise<LoadResult[]> =>
    Promise.all([
      auditedRetrieve(network, other, entryId, CONNECTIONS, length),
      listEntries(network, other, CONNECTIONS, length),
    ]);

  // Warm-up.
  await measure(5);
  const quiet = await measure(seconds!);
  const end = await startStorm(network, costly);
  const stormy = await measure(seconds!);
  const answers = await end();

  console.log(
    `\nRetrieve and list of one tenant, ${CONNECTIONS} connections each, ${seconds} s alone and ${seconds} s while another tenant replays and ` +
      `lints ${rules} rules over ${decisions} decisions, and searches and exports ${events} events, ${callers} of each at once`,
  );
  console.log(row(['', 'calls/s', 'p50 ms', 'p99 ms', 'errors']));
  for (const [at, name] of ['retrieve', 'list'].entries()) {
    const [alone, during] = [quiet[at]!, stormy[at]!];
    for (const [when, { perSecond, p50Ms, p99Ms, errors }] of [
      ['alone', alone],
      ['storm', during],
    ] as const)
      console.log(row([`${name} ${when}`.padEnd(14), perSecond.toFixed(0), p50Ms, p99Ms, errors]));
    const ratio = (of: 'perSecond' | 'p50Ms' | 'p99Ms'): string => (during[of] / alone[of]).toFixed(2);
    console.log(row(['ratio', ratio('perSecond'), ratio('p50Ms'), ratio('p99Ms')]));
  }
  console.log(`answers to the storm: ${answers}`);
} finally {
  await started[Symbol.asyncDispose]();
}
