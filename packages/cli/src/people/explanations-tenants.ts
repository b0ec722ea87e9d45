import type { Explanation } from './explanation.ts';

/** Codes of tenants that come, are suspended and go. */
export const tenantExplanations: Readonly<Record<string, Explanation>> = {
  tenant_suspended: {
    meaning: 'The tenant is suspended: nobody of it can do anything, and nothing is done for it.',
    next: 'Ask whoever runs this installation; `claviger tenants reinstate NAME` lifts it.',
  },
  tenant_deprovisioned: {
    meaning: 'The tenant was wound down and its keys are destroyed; its secrets cannot be opened any more.',
    next: 'Nothing brings them back. `claviger tenants deletion-record NAME` shows the proof.',
  },
  platform_tenant: {
    meaning: 'This tenant runs the installation, so it can be neither suspended nor deprovisioned.',
    next: 'Name another tenant.',
  },
  second_person_needed: {
    meaning: 'Winding a tenant down takes two administrators, and you ordered it.',
    next: 'Another administrator sends the same request within a day.',
  },
  queued_before_reinstatement: {
    meaning: 'It was queued before the tenant was suspended; such things stay dead after a reinstatement.',
    next: 'Ask for it again.',
  },
};
