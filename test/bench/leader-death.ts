/**
 * Measures the time from the kill -9 of a leader to the first write of the next one; asserts nothing.
 * `node test/bench/leader-death.ts [--rounds N] [--replicas N]`
 */
import { parseArgs } from 'node:util';
import { startNetwork } from '@claviger/testkit';
import { leaseOf, noteLeaderWrites } from '../support/leader-writes.ts';
import { row } from './print.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, replicas: { type: 'string', default: '3' } },
});
const rounds = Number(values.rounds);
const SERVICE = 'workflow';

const started = await startNetwork({ logLevel: 'warn', replicas: { [SERVICE]: Number(values.replicas) } });
try {
  const { network, installation } = started;
  await noteLeaderWrites(network, SERVICE);
  const { admin } = await network.createTenant();
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = await leaseOf(network, SERVICE);
    const killed = installation.kill(before.node);
    const killedAt = performance.now();
    await killed;
    took.push(
      await network.superuser(async (db) => {
        for (;;) {
          // A refused request leaves an event; relaying it is the first write of the next leader.
          await admin.client.post('/api/v1/requests', { reason: 'bench' }).catch(() => undefined);
          const { rows } = await db.query(`SELECT FROM ${SERVICE}.leader_writes WHERE term > $1 LIMIT 1`, [
            before.term,
          ]);
          if (rows.length > 0) return performance.now() - killedAt;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }),
    );
    await installation.restart(before.node);
  }
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(0);
  console.log(`\nFrom a leader's death to the next leader's first write, ${rounds} times, milliseconds`);
  console.log(row(['min', 'p25', 'p50', 'p75', 'p95', 'max']));
  console.log(row([at(0), at(0.25), at(0.5), at(0.75), at(0.95), at(1)]));
} finally {
  await started[Symbol.asyncDispose]();
}
