import type * as audit from '@claviger/contracts/audit/v1/audit';
import type { Handler } from '@claviger/service-kit';
import { recordRead } from '../reads/record-read.ts';
import type { ProofsDeps } from './deps.ts';
import { newestHead } from './proof-store.ts';

/** The newest signed tree head of the tenant. */
export function getTreeHead(deps: ProofsDeps): Handler<typeof audit.AuditService.getTreeHead> {
  return async (request, context) => {
    const treeHead = await deps.database.readTenant(context.tenantId, newestHead);
    await recordRead(deps, context, request);
    return { treeHead };
  };
}
