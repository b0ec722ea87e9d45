import { randomUUID } from 'node:crypto';
import { connectNetwork, type Network, type RestClient } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

let network: Network;
beforeAll(() => {
  network = connectNetwork(inject('network'));
});
afterAll(() => network?.[Symbol.asyncDispose]());

/** Clients with this token, one for each gateway. */
const everywhere = (token: string): RestClient[] =>
  network.access.urls.map((url) => network.anonymous.as(token).at(url));

interface Enrolled {
  readonly id: string;
  readonly token: string;
}

async function enrol(admin: RestClient, body: object): Promise<Enrolled> {
  const { device, agentToken } = await admin.must('POST', '/api/v1/devices', body);
  return { id: (device as { id: string }).id, token: agentToken as string };
}

test('a device can be a resource of the vault with its id, once, and only in its own tenant', async () => {
  const [tenant, other] = await Promise.all([network.createTenant(), network.createTenant()]);
  const admin = tenant.admin.client;
  const { id: resourceId } = await admin.must('POST', '/api/v1/resources', { name: 'host', type: 'server' });
  const device = await enrol(admin, { hostname: 'WIN-ACCT-04', os: 'windows', resourceId });
  expect(device.id).toBe(resourceId);
  expect(await admin.must('GET', `/api/v1/devices/${device.id}`)).toMatchObject({ linkedToResource: true });
  const again = await admin.post('/api/v1/devices', { hostname: 'again', resourceId });
  expect([again.status, again.body.code]).toEqual([409, 'device_exists']);
  for (const named of [resourceId, randomUUID()]) {
    const foreign = await other.admin.client.post('/api/v1/devices', {
      hostname: 'theirs',
      resourceId: named,
    });
    expect([foreign.status, (foreign.body.errors as { pointer: string }[])[0]!.pointer]).toEqual([
      400,
      '/resourceId',
    ]);
  }
  const foreign = await other.admin.client.get(`/api/v1/devices/${device.id}`);
  expect(foreign.status).toBe(404);
});

test('every way of ending an agent token takes effect at every gateway at once', async () => {
  const tenant = await network.createTenant();
  const admin = tenant.admin.client;
  const ends: ((id: string) => Promise<unknown>)[] = [
    (id) => admin.must('DELETE', `/api/v1/devices/${id}/agent-token`),
    (id) => admin.must('POST', `/api/v1/devices/${id}/agent-token`, {}),
    (id) => admin.must('POST', `/api/v1/devices/${id}/decommission`, { reason: 'scrapped' }),
  ];
  for (const end of ends) {
    const { id, token } = await enrol(admin, { hostname: 'PC' });
    const statuses = () =>
      Promise.all(
        everywhere(token).map(
          async (agent) => (await agent.get(`/api/v1/agents/${id}/configuration`)).status,
        ),
      );
    expect(new Set(await statuses())).toEqual(new Set([200]));
    await end(id);
    expect(new Set(await statuses())).toEqual(new Set([401]));
  }
});

test('an agent token gives access only to operations for agents', async () => {
  const tenant = await network.createTenant();
  const admin = tenant.admin.client;
  const [own, sibling] = [
    await enrol(admin, { hostname: 'own' }),
    await enrol(admin, { hostname: 'sibling' }),
  ];
  const agent = network.anonymous.as(own.token);
  for (const path of [
    '/api/v1/devices',
    `/api/v1/devices/${own.id}`,
    '/api/v1/users/me',
    '/api/v1/resources',
  ]) {
    const answer = await agent.get(path);
    expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'not_for_agents']);
  }
  expect((await agent.get(`/api/v1/agents/${sibling.id}/configuration`)).status).toBe(403);
  expect((await agent.get(`/api/v1/agents/${randomUUID()}/configuration`)).status).toBe(404);
  expect((await admin.get(`/api/v1/agents/${own.id}/configuration`)).status).toBe(403);
  expect(await agent.must('GET', `/api/v1/agents/${own.id}/configuration`)).toEqual({
    pam: { uacInterceptionEnabled: true },
    sources: [{ setting: 'pam.uacInterceptionEnabled', scope: 'default', scopeId: '' }],
  });
  const rotated = await agent.must('POST', `/api/v1/agents/${own.id}/token`, {});
  const next = network.anonymous.as(rotated.agentToken as string);
  const status = async (as: RestClient) => (await as.get(`/api/v1/agents/${own.id}/configuration`)).status;
  expect([await status(agent), await status(next), await status(agent)]).toEqual([200, 200, 401]);
});
