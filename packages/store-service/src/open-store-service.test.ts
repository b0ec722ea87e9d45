import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import type { OutboxSchema } from '@claviger/events';
import { createTemporaryDataDir, type Installation, startInstallation } from '@claviger/installation';
import { loadConfig, readSecretFile } from '@claviger/service-kit';
import { eventually } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStoreService, type StoreConfig, storeConfigSchema, storeMigrations } from './index.ts';

let dataDir: string;
let installation: Installation;
let config: StoreConfig;
let readyUrl: string;
beforeAll(async () => {
  dataDir = await createTemporaryDataDir();
  // Nothing listens on port 1: the other servers are unavailable.
  const away = ['127.0.0.1:1'];
  installation = await startInstallation({
    dataDir,
    environment: 'test',
    services: ['audit'],
    overrides: { audit: { peers: { auth: away, vault: away, workflow: away } } },
  });
  const node = installation.nodes.find((each) => each.service === 'audit')!;
  readyUrl = `${node.healthUrl}/ready`;
  // Replaced by what the tests start.
  await installation.kill(node.node);
  config = { ...loadConfig(storeConfigSchema.loose(), node.configFile), logLevel: 'error' };
});
afterAll(async () => {
  await installation?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const open = (change: Partial<StoreConfig> = {}) =>
  openStoreService<OutboxSchema>({
    service: 'audit',
    config: { ...config, ...change },
    migrations: storeMigrations(import.meta.dirname),
    actorTokenPublicKey: readSecretFile(installation.layout.secret('actor-token.pub.pem')),
  });
const restore = { endTenantAccess: async () => ({}) };
const ready = () =>
  fetch(readyUrl).then(
    ({ status }) => status,
    () => 'closed',
  );

test('a service closes its servers first, then its own resources in reverse order, then what these use', async () => {
  const store = await open();
  const order: string[] = [];
  for (const name of ['first', 'second'])
    store.disposables.defer(async () => {
      // What a resource uses stays open until all resources are closed.
      await store.database.ping();
      order.push(name, String(await ready()));
    });
  const serving = await store.serve({ restore, stopping: () => order.push('stopping') });
  expect(serving.grpcPort).toBeGreaterThan(0);
  await eventually(async () => expect(await ready()).toBe(200));
  expect(await store.schemaHistory()).toMatchObject({ pending: [] });

  // Everything is owned by the service once its start has succeeded.
  await store[Symbol.asyncDispose]();
  expect(await ready()).toBe(200);

  await serving[Symbol.asyncDispose]();
  expect(order).toEqual(['stopping', 'second', '503', 'first', '503']);
  expect(await ready()).toBe('closed');
  await expect(store.database.ping()).rejects.toThrow();
});

test('a failed start leaves nothing open', async () => {
  let closed = false;
  const start = async () => {
    await using store = await open();
    store.disposables.defer(() => {
      closed = true;
    });
    throw new Error('a resource does not start');
  };
  await expect(start()).rejects.toThrow('a resource does not start');
  expect(closed).toBe(true);
});

test('when the gRPC port fails to bind, everything is closed and the error is thrown', async () => {
  await using serving = await (await open()).serve({ restore });
  expect(serving.grpcPort).toBeGreaterThan(0);
  const second = await open();
  let closed = false;
  second.disposables.defer(() => {
    closed = true;
  });
  await expect(second.serve({ restore })).rejects.toThrow('EADDRINUSE');
  expect(closed).toBe(true);
  await expect(second.database.ping()).rejects.toThrow();
});

test('when the health port fails to bind, the gRPC server is closed', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const store = await open({ health: { listen: `127.0.0.1:${port}` } });
  await expect(store.serve({ restore })).rejects.toThrow('EADDRINUSE');
  taken.close();
  // The gRPC port is free again.
  await using serving = await (await open()).serve({ restore });
  expect(serving.grpcPort).toBeGreaterThan(0);
});
