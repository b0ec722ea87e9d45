import * as health from '@claviger/contracts/cluster/v1/health';
import * as vault from '@claviger/contracts/vault/v1/vault';
import { baseConfigSchema, createPeers, loadConfig, splitAddress } from '@claviger/service-kit';
import { startDnsServer } from '@claviger/testkit';
import { expect, test } from 'vitest';
import { eventually, startVault } from '../test-support.ts';

test('vault processes share the load while DNS lists one, three and two of them, and no retrieval fails', async () => {
  await using bench = await startVault({ services: ['vault', 'auth'], replicas: { vault: 3 } });
  await using dns = await startDnsServer();
  const { installation } = bench;
  const nodes = installation.nodes.filter(({ service }) => service === 'vault');
  const list = (...listed: number[]) =>
    nodes.forEach((_, i) => void dns.set(`vault-${i + 1}.test`, listed.includes(i + 1) ? ['127.0.0.1'] : []));
  const person = await bench.as({});
  const { entry } = await person.entries.createEntry({ name: 'shared', secret: 'x' });
  const unset = vault.EntriesService.retrieveEntry.requestDeserialize(Buffer.alloc(0));
  const request = { ...unset, entryId: entry!.id };

  const base = loadConfig(baseConfigSchema, installation.operator.configFile);
  const grpc = { ...base.grpc, ...installation.layout.leaf('gateway') };
  const names = nodes.map(({ grpcAddress }, i) => `vault-${i + 1}.test:${splitAddress(grpcAddress!).port}`);
  list(1);
  const peers = createPeers({ ...base, grpc, peers: { vault: names } }, undefined, dns.lookup);
  const entries = peers.client('vault', vault.EntriesService);
  const { getHealth } = peers.client('vault', health.HealthService);

  let running = true;
  const failures: unknown[] = [];
  const served: { node: string; atMs: number }[] = [];
  const load = Array.from({ length: 16 }, async () => {
    while (running) {
      try {
        await entries.retrieveEntry(request, await person.options());
        served.push({ node: (await getHealth({})).node, atMs: performance.now() });
      } catch (error) {
        failures.push(error);
      }
    }
  });
  const spreadOver = async (...expected: string[]): Promise<void> => {
    const since = performance.now();
    await eventually(`${expected.join(', ')} to serve their share`, async () => {
      const last = served.slice(-300);
      const counts = Map.groupBy(last, ({ node }) => node);
      return (
        last.length === 300 &&
        last[0]!.atMs > since &&
        [...counts.keys()].sort().join() === expected.join() &&
        [...counts.values()].every(({ length }) => length > 150 / expected.length)
      );
    });
    expect(performance.now() - since).toBeLessThan(10_000);
  };
  await spreadOver('vault-1');
  list(1, 2, 3);
  await spreadOver('vault-1', 'vault-2', 'vault-3');
  // As in Kubernetes, the process receives SIGTERM at the same time as its address is removed from DNS.
  list(1, 2);
  await installation.kill('vault-3', 'SIGTERM');
  await spreadOver('vault-1', 'vault-2');
  running = false;
  await Promise.all(load);
  peers.close();
  expect(failures).toEqual([]);
});
