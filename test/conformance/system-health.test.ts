import { connectNetwork, eventually, type Network, type TestTenant } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

let network: Network;
let tenant: TestTenant;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
});
afterAll(async () => network?.[Symbol.asyncDispose]());

// Operations of the gateway, which are in no contract of a service.
test.each([
  ['rp.system.health.ping', '/system/health/ping', ['status', 'version']],
  ['rp.system.health.ready', '/system/health/ready', ['status']],
  ['rp.system.health.live', '/system/health/live', ['status']],
])('%s answers probes without a token, and is documented', async (_, path, fields) => {
  // A dependency that answers slowly is not ready for a moment.
  const answer = await eventually(async () => {
    const probed = await network.anonymous.get(path);
    expect(probed.status).toBe(200);
    return probed;
  });
  expect(Object.keys(answer.body)).toEqual(expect.arrayContaining(fields));
  const { paths } = (await network.anonymous.get('/openapi.json')).body as { paths: Record<string, object> };
  expect(paths[path]).toHaveProperty('get');
  expect((await network.anonymous.call('POST', path, {})).status).toBe(405);
});

test('rp.system.health.detail shows database, vault and scheduler to signed-in users only', async () => {
  const path = '/system/health/detail';
  expect((await network.anonymous.get(path)).status).toBe(401);
  const answer = await tenant.admin.client.get(path);
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.body)).toEqual(expect.arrayContaining(['database', 'vault', 'scheduler']));
  const { paths } = (await network.anonymous.get('/openapi.json')).body as { paths: Record<string, object> };
  expect(paths[path]).toHaveProperty('get');
});
