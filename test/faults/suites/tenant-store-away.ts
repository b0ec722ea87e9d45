import { eventually } from '@claviger/testkit';
import { expect, test } from 'vitest';
import { guardedEntry, retrieve } from '../../support/breakglass.ts';
import type { Topology } from '../../support/topology.ts';

/** Suspending a tenant and disabling an account while a service does not answer. */
export function tenantStoreAway(topology: Topology): void {
  test('while the vault is paused a tenant is suspended, the answer names the vault, and the vault learns of it later', async () => {
    const { network, installation } = topology;
    const { client: platform } = await network.createPlatformAdministrator();
    const tenant = await network.createTenant();
    const path = `/api/v1/msp/tenants/${tenant.id}`;
    const storedStatus = () =>
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
      expect(await storedStatus()).toBe('active');
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
    expect(await storedStatus()).toBe('suspended');
  });

  test('while workflow is paused an account is disabled, and can be enabled only after its grants have ended', async () => {
    const { network, installation } = topology;
    const tenant = await network.createTenant();
    const { client: admin } = tenant.admin;
    const [holder, approver] = [await tenant.createUser(['operator']), await tenant.createUser(['approver'])];
    const entryId = await guardedEntry(tenant);
    const ask = { entryId, reason: 'why', durationMinutes: 60 };
    const { id: requestId } = await holder.client.must('POST', '/api/v1/requests', ask);
    await approver.client.must('POST', `/api/v1/requests/${requestId}/approve`, {});
    expect((await holder.client.must('GET', '/api/v1/grants')).items).toMatchObject([{ status: 'active' }]);
    const path = `/api/v1/users/${holder.id}`;
    const workflows = installation.nodes
      .filter((node) => node.service === 'workflow')
      .map((node) => node.node);
    for (const node of workflows) await installation.kill(node, 'SIGSTOP');
    try {
      await admin.must('PUT', path, { status: 'disabled' });
      const early = await admin.put(path, { status: 'active' });
      expect([early.status, early.body.code]).toEqual([503, 'account_ending_pending']);
    } finally {
      for (const node of workflows) await installation.kill(node, 'SIGCONT');
    }
    await eventually(() => admin.must('PUT', path, { status: 'active' }), { what: 'the end of the grant' });
    const again = network.anonymous.as(await tenant.signIn(holder.username, holder.password));
    expect((await retrieve(again, entryId)).status).toBe(403);
    const { items } = await again.must('GET', '/api/v1/grants');
    expect(items).toMatchObject([{ status: 'revoked' }]);
  });

  test('auth killed between disabling an account and informing workflow informs it later', async () => {
    const { network, installation } = topology;
    const tenant = await network.createTenant();
    const { client: admin } = tenant.admin;
    const [holder, approver] = [
      await tenant.createUser(['requester']),
      await tenant.createUser(['approver']),
    ];
    const entryId = await guardedEntry(tenant);
    const ask = { entryId, reason: 'why', durationMinutes: 60 };
    const { id: requestId } = await holder.client.must('POST', '/api/v1/requests', ask);
    await approver.client.must('POST', `/api/v1/requests/${requestId}/approve`, {});
    const auths = installation.nodes.filter((node) => node.service === 'auth').map((node) => node.node);
    const workflows = installation.nodes
      .filter((node) => node.service === 'workflow')
      .map((node) => node.node);
    for (const node of workflows) await installation.kill(node, 'SIGSTOP');
    try {
      const disabling = admin
        .put(`/api/v1/users/${holder.id}`, { status: 'disabled' })
        .catch(() => undefined);
      // The change is committed, but workflow does not answer.
      await eventually(
        async () => {
          const { rows } = await network.superuser((client) =>
            client.query('SELECT status FROM auth.users WHERE id = $1', [holder.id]),
          );
          expect(rows).toEqual([{ status: 'disabled' }]);
        },
        { what: 'the change' },
      );
      for (const node of auths) await installation.kill(node, 'SIGKILL');
      await disabling;
    } finally {
      for (const node of workflows) await installation.kill(node, 'SIGCONT');
    }
    for (const node of auths) await installation.restart(node);
    await eventually(
      async () => {
        const { rows } = await network.superuser((client) =>
          client.query('SELECT status, sync_wanted FROM workflow.grants WHERE request_id = $1', [requestId]),
        );
        expect(rows).toEqual([{ status: 'revoked', sync_wanted: null }]);
      },
      { what: 'the end of the grant' },
    );
  });
}
