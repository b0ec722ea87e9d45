import { signAttestation } from '@claviger/compliance-package';
import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import { emptyRoot } from '@claviger/merkle';
import type { Handler } from '@claviger/service-kit';
import { recordRead } from '../../reads/record-read.ts';
import { lastHead } from '../../sequencing/head-store.ts';
import type { ComplianceDeps } from '../deps.ts';
import { assessControls } from './assess-controls.ts';

/** Returns the present state of all controls, signed with the tree-head key. */
export function getAttestation(
  deps: ComplianceDeps,
): Handler<typeof compliance.ComplianceService.getAttestation> {
  return async (request, context) => {
    const { tenantId, signal } = context;
    const head = await deps.database.readTenant(tenantId, lastHead);
    const controls = await assessControls(deps, tenantId, signal);
    await recordRead(deps, context, request);
    return signAttestation(
      {
        tenantId,
        issuedAt: new Date().toISOString(),
        controls,
        treeSize: head?.size ?? 0,
        rootHash: head?.rootHash ?? emptyRoot().toString('hex'),
      },
      deps.keys.treeHead,
    );
  };
}
