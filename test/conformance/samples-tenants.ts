import { randomUUID } from 'node:crypto';
import { eventually } from '@claviger/testkit';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const TENANTS = '/api/v1/msp/tenants';
const REASON = 'conformance';

const newName = (): string => `c-${randomUUID()}`;

async function newTenant({ platform }: World): Promise<string> {
  const { tenant } = await platform.must('POST', TENANTS, { name: newName() });
  return (tenant as { id: string }).id;
}

/** There are four tenants at least. */
async function fourTenants(world: World): Promise<Sample> {
  const { totalItems } = await world.platform.must('GET', TENANTS);
  for (let count = totalItems as number; count < 4; count += 1) await newTenant(world);
  return {};
}

async function metered({ platform }: World, path: string): Promise<void> {
  await eventually(
    async () => {
      const { totalItems } = await platform.must('GET', path);
      if ((totalItems as number) < 4) throw new Error(`${totalItems} so far`);
    },
    { what: 'four billing events', timeoutMs: 50_000 },
  );
}

export const tenantSamples: Readonly<Record<string, ((world: World) => Promise<Sample> | Sample) | null>> = {
  ListTenants: fourTenants,
  GetTenant: async (w) => ({ params: { tenant_id: await newTenant(w) } }),
  CreateTenant: () => ({ body: { name: newName(), displayName: 'Acme Inc.' } }),
  SuspendTenant: async (w) => ({ params: { tenant_id: await newTenant(w) }, body: { reason: REASON } }),
  ReinstateTenant: async (w) => {
    const id = await newTenant(w);
    await w.platform.must('POST', `${TENANTS}/${id}/suspend`, { reason: REASON });
    return { params: { tenant_id: id }, body: { reason: REASON } };
  },
  DeprovisionTenant: async (w) => ({ params: { tenant_id: await newTenant(w) }, body: { reason: REASON } }),
  // Only after thirty days.
  GetDeletionRecord: null,
  GetTenantHealth: (w) => ({ params: { tenant_id: w.tenant.id } }),
  ListTenantBillingEvents: async (w) => {
    await metered(w, `${TENANTS}/${w.tenant.id}/billing-events`);
    return { params: { tenant_id: w.tenant.id } };
  },
  ListBillingEvents: async (w) => {
    await metered(w, '/api/v1/msp/billing-events');
    return {};
  },
};
