import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import type { Noun, Verb } from '../contract/noun.ts';

function statusText({ status, pendingServices, platform }: tenants.Tenant): string {
  if (pendingServices.length > 0) return `${status}, not yet in ${pendingServices.join(' ')}`;
  return platform ? `${status}, the platform` : status;
}

const change = (verb: string, call: string): Verb => ({
  call,
  example: `tenants ${verb} acme --reason "contract"`,
  ...(verb === 'reinstate' ? {} : { confirm: `${verb} {0}?` }),
});

const order = ({ deprovisioning }: tenants.Tenant) =>
  deprovisioning && `${deprovisioning.state}, ordered by ${deprovisioning.orderedBy}`;
const isWaiting = 'awaiting-confirmation';

export const noun: Noun = {
  about: 'tenants of this installation, for its operators',
  sample: 'acme',
  services: ['TenantsService'],
  elsewhere: ['ListTenantBillingEvents'],
  views: {
    Tenant: {
      columns: ['ID  id', 'TENANT  name', 'NAME  displayName', ['STATUS', statusText], 'CREATED  createdAt'],
      fields: (row: tenants.Tenant) => [
        'tenant  name; id  id; name  displayName',
        ['status', statusText],
        'since  statusChangedAt|createdAt; reason  statusReason',
        ['deprovisioning', order],
        ...(row.deprovisioning?.state === isWaiting ? ['confirm until  deprovisioning.confirmUntil'] : []),
        'keys destroyed  deprovisioning.destroyAt',
      ],
    },
    BillingEvent: {
      columns: [
        'TIME  occurredAt; TENANT  tenantId; NUMBER  sequence; KIND  kind',
        [
          'QUANTITY',
          ({ quantity, unit }: { quantity: number; unit: string }) =>
            unit === 'count' ? quantity : `${quantity} ${unit}`,
        ],
        'SUBJECT  {subjectType} {subjectId}',
      ],
    },
    TenantPart: {
      columns: [
        'SERVICE  service',
        [
          'STATUS',
          (row: { answered: boolean; standing: string; problem: string }) =>
            row.answered ? row.standing : row.problem,
        ],
        [
          'HOLDS',
          ({ measures }: { measures: { name: string; value: number }[] }) =>
            measures.map(({ name, value }) => `${name} ${value}`).join(', '),
        ],
      ],
    },
  },
  verbs: {
    create: {
      call: 'CreateTenant',
      example: 'tenants create acme --display-name "Acme Inc."',
      told: '{tenant.name} is {tenant.id}\ngive this one-time link to its first administrator; it expires at {setupExpiresAt}:',
      line: '{setupUrl}',
    },
    suspend: change('suspend', 'SuspendTenant'),
    reinstate: change('reinstate', 'ReinstateTenant'),
    deprovision: change('deprovision', 'DeprovisionTenant'),
    health: {
      call: 'GetTenantHealth',
      told: '{status}; last activity {lastActivityAt}{lastActivityAt?:unknown}',
      table: 'parts',
    },
    'deletion-record': {
      call: 'GetDeletionRecord',
      example: 'tenants deletion-record 0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11',
      line: '{record}',
    },
    billing: {
      call: 'ListBillingEvents',
      about: 'list billing events of a tenant, or of all tenants',
      example: 'tenants billing acme --from 2026-01-01 --to 2026-01-31',
      words: 'tenantId?',
      rows: 'BillingEvent',
      run: async ({ idOf, listItems, words: [tenant] }, request) =>
        tenant === undefined
          ? listItems('ListBillingEvents', request)
          : listItems('ListTenantBillingEvents', { ...request, tenantId: await idOf('tenant', tenant) }),
    },
  },
};
