/**
 * CPU milliseconds of all processes for one audited retrieve, at 32 connections; asserts nothing. To compare
 * two states of the code, run it in both alternately: absolute figures vary. `node test/bench/retrieve-cpu.ts
 * [--seconds N]`.
 */
import { parseArgs } from 'node:util';
import { startNetwork } from '@claviger/testkit';
import { cpuTimes } from './cpu.ts';
import { auditedRetrieve } from './load.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
const seconds = Number(values.seconds);
const CONNECTIONS = 32;

await using started = await startNetwork({ logLevel: 'warn' });
const { network, installation } = started;
const tenant = await network.createTenant();
const entry = await tenant.admin.client.must('POST', '/api/v1/vault/entries', {
  name: 'bench',
  type: 'note',
  secret: 'x'.repeat(32),
});
await auditedRetrieve(network, tenant, entry.id as string, CONNECTIONS, 3);
const before = cpuTimes(installation);
const { perSecond } = await auditedRetrieve(network, tenant, entry.id as string, CONNECTIONS, seconds);
const after = cpuTimes(installation);
const spent = (name: string): number => (after[name]! - (before[name] ?? 0)) / (perSecond * seconds);
const names = Object.keys(after).filter((name) => name !== 'load generator');
const vault = names.filter((name) => name.includes('vault')).reduce((sum, name) => sum + spent(name), 0);
const all = names.reduce((sum, name) => sum + spent(name), 0);
console.log(
  JSON.stringify({
    perSecond: Math.round(perSecond),
    allMs: Number(all.toFixed(3)),
    vaultMs: Number(vault.toFixed(3)),
  }),
);
