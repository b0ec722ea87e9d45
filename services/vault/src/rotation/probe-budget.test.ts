import { loadConfig } from '@claviger/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startVault, type VaultBench } from '../../test-support.ts';
import { configSchema } from '../config.ts';
import { createVaultService } from '../service.ts';
import { giveProbeBack, takeProbe } from './probe-budget.ts';

let bench: VaultBench;
beforeAll(async () => {
  bench = await startVault();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

test('F-38 an account is probed twice in half an hour at most, by all workers together', async () => {
  const admin = await bench.as({});
  const { tenantId } = admin.actor;
  const entryId = (await admin.entries.createEntry({ name: 'account', secret: 'x' })).entry!.id;
  await bench.installation.kill('vault-1');
  const config = loadConfig(configSchema, bench.installation.nodes[0]!.configFile);
  await using service = await createVaultService({ ...config, logLevel: 'error' });
  const take = () => takeProbe(service.deps, tenantId, entryId);

  const verdicts = await Promise.all(Array.from({ length: 10 }, take));
  expect(verdicts.filter((nextAt) => nextAt === undefined)).toHaveLength(2);
  const nextAt = verdicts.find((at) => at !== undefined)!;
  expect(Math.round((nextAt.getTime() - Date.now()) / 60_000)).toBe(30);

  await giveProbeBack(service.deps, tenantId, entryId);
  expect(await take()).toBeUndefined();
  expect(await take()).toBeInstanceOf(Date);

  await bench.superuser((client) =>
    client.query("UPDATE entries SET probe_window_at = now() - interval '30 minutes' WHERE id = $1", [
      entryId,
    ]),
  );
  expect(await take()).toBeUndefined();
});
