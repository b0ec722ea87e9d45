import { eventually, type StartedNetwork, startNetwork } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

let started: StartedNetwork;
beforeAll(async () => {
  started = await startNetwork();
});
afterAll(async () => started?.[Symbol.asyncDispose]());

test('with a vault that stands still a tenant is suspended all the same, the answer says who has not heard, and then it hears', async () => {
  const { network, installation } = started;
  const { client: platform } = await network.createPlatformAdministrator();
  const tenant = await network.createTenant();
  const path = `/api/v1/msp/tenants/${tenant.id}`;
  const standing = () =>
    network.superuser(async (client) => {
      const { rows } = await client.query<{ standing: string }>(
        'SELECT standing FROM vault.tenant_standings WHERE tenant_id = $1',
        [tenant.id],
      );
      return rows[0]?.standing ?? 'active';
    });
  const vaults = installation.nodes.filter((node) => node.service === 'vault').map((node) => node.node);
  for (const node of vaults) await installation.kill(node, 'SIGSTOP');
  try {
    const suspended = await platform.must('POST', `${path}/suspend`, { reason: 'while the vault is away' });
    expect(suspended).toMatchObject({ status: 'suspending', pendingServices: ['vault'] });
    expect((await tenant.admin.client.get('/api/v1/users/me')).status).toBe(401);
    expect(await standing()).toBe('active');
    const health = await platform.must('GET', `${path}/health`);
    const parts = health.parts as { service: string; answered: boolean; measures: unknown[] }[];
    expect(health.status).toBe('degraded');
    expect(parts.find((part) => part.service === 'vault')).toMatchObject({ answered: false, measures: [] });
  } finally {
    for (const node of vaults) await installation.kill(node, 'SIGCONT');
  }
  await eventually(
    async () => {
      expect(await platform.must('GET', path)).toMatchObject({ status: 'suspended', pendingServices: [] });
    },
    { what: 'the vault’s having heard' },
  );
  expect(await standing()).toBe('suspended');
});
