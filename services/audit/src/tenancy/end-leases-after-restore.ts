import type { EndTenantAccess } from '@claviger/restore';
import type { AuditSchema } from '../schema.ts';

/** Ends the leases of workers that ran before the restore; their reports are made again. */
export const endLeasesAfterRestore: EndTenantAccess<AuditSchema> = async (tx) => {
  const leases = await tx
    .updateTable('compliance_reports')
    .set({ lease_owner: null, lease_until: null })
    .where('lease_owner', 'is not', null)
    .executeTakeFirst();
  return { leases: Number(leases.numUpdatedRows) };
};
