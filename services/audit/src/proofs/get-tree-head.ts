import type { audit } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import type { AuditDeps } from '../audit-deps.ts';
import { recordRead } from '../reads/record-read.ts';
import { newestHead } from './store.ts';

/** The newest signed tree head of the tenant. */
export function getTreeHead(deps: AuditDeps): Handler<typeof audit.AuditServiceService.getTreeHead> {
  return async (request, context) => {
    const treeHead = await deps.database.readTenant(context.tenantId, newestHead);
    await recordRead(deps, context, request);
    return { treeHead };
  };
}
