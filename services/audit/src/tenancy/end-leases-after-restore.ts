import type { EndTenantAccess } from '@claviger/restore';
import type { AuditSchema } from '../schema.ts';

/** Workers of the former state lose the reports that they were making; others make them anew. */
export const endLeasesAfterRestore: EndTenantAccess<AuditSchema> = async (tx) => {
  const leases = await tx
    .updateTable('compliance_reports')
    .set({ lease_owner: null, lease_until: null })
    .where('lease_owner', 'is not', null)
    .executeTakeFirst();
  return { leases: Number(leases.numUpdatedRows) };
};
