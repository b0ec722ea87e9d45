/**
 * Measures on this machine and prints ratios; asserts nothing. `node test/bench/run.ts [--seconds N]
 * [--entries N]`. All processes and the load generator share the cores: only the ratios of one run are
 * comparable.
 */
import { parseArgs } from 'node:util';
import { startNetwork } from '@claviger/testkit';
import { cpuTimes } from './cpu.ts';
import { entryListLatency } from './entry-list.ts';
import { enrolDevices, ingestPrompts, putRules } from './ingest.ts';
import { auditedRetrieve } from './load.ts';
import { bareTransaction } from './pgbench.ts';
import { row } from './print.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '10' }, entries: { type: 'string', default: '100000' } },
});
const seconds = Number(values.seconds);

const started = await startNetwork({ logLevel: 'warn' });
try {
  const { network } = started;
  const tenant = await network.createTenant();
  const entry = await tenant.admin.client.must('POST', '/api/v1/vault/entries', {
    name: 'bench',
    type: 'note',
    secret: 'x'.repeat(32),
  });
  const target = { tenantId: tenant.id, entryId: entry.id as string };

  console.log(
    `\nAudited retrieve (TLS, gateway, mTLS gRPC, PostgreSQL commit, decrypt) beside the bare transaction, ${seconds} s each`,
  );
  console.log(row(['connections', 'retrieve/s', 'p50 ms', 'p99 ms', 'errors', 'pgbench/s', 'ratio']));
  await auditedRetrieve(network, tenant, target.entryId, 32, 3);
  for (const connections of [1, 32, 128]) {
    const retrieve = await auditedRetrieve(network, tenant, target.entryId, connections, seconds);
    const bare = await bareTransaction(network, target, connections, seconds);
    console.log(
      row([
        connections,
        retrieve.perSecond.toFixed(0),
        retrieve.p50Ms,
        retrieve.p99Ms,
        retrieve.errors,
        bare.toFixed(0),
        (retrieve.perSecond / bare).toFixed(2),
      ]),
    );
  }

  console.log(
    '\nWhere the time goes at 32 connections: CPU milliseconds a retrieve, the audit pipeline behind it included',
  );
  const before = cpuTimes(started.installation);
  const { perSecond } = await auditedRetrieve(network, tenant, target.entryId, 32, seconds);
  const after = cpuTimes(started.installation);
  for (const [name, cpuMs] of Object.entries(after)) {
    const each = (cpuMs - (before[name] ?? 0)) / (perSecond * seconds);
    if (each >= 0.005) console.log(`${name.padEnd(32)}${each.toFixed(3)}`);
  }

  console.log(
    '\nFirst page, a middle page by cursor, and a page by number of the list of entries, median of 200',
  );
  console.log(row(['entries', 'first ms', 'cursor ms', 'page 100 ms']));
  let base: number | undefined;
  for (const entries of [1_000, Number(values.entries)]) {
    const times = await entryListLatency(network, entries);
    base ??= times.firstMs;
    console.log(
      row([entries, times.firstMs.toFixed(2), times.cursorMs.toFixed(2), times.numberedMs.toFixed(2)]),
    );
    if (entries !== 1_000) console.log(`ratio of the first pages: ${(times.firstMs / base).toFixed(2)}`);
  }

  console.log(`\nPrompts that agents report, 16 at a time, by the number of rules, ${seconds} s each`);
  console.log(row(['rules', 'prompts/s', 'p50 ms', 'p99 ms', 'p50 ratio', 'statuses']));
  const devices = await enrolDevices(tenant);
  let first: number | undefined;
  for (const rules of [10, 10, 1_000, 10_000]) {
    await putRules(network, tenant, rules);
    const prompts = await ingestPrompts(devices, rules, seconds);
    // The first round warms up; the second one, with ten rules, is the reference.
    const isWarm = first !== undefined;
    if (!isWarm || rules === 10) first = prompts.p50Ms;
    if (!isWarm) continue;
    console.log(
      row([
        rules,
        prompts.perSecond.toFixed(0),
        prompts.p50Ms.toFixed(2),
        prompts.p99Ms.toFixed(2),
        (prompts.p50Ms / first!).toFixed(2),
        JSON.stringify(prompts.statuses),
      ]),
    );
  }
} finally {
  await started[Symbol.asyncDispose]();
}
