import type * as audit from '@claviger/contracts/audit/v1/audit';
import { pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { recordRead } from '../reads/record-read.ts';
import { headOfRow } from '../sequencing/tree-head-row.ts';
import type { ProofsDeps } from './deps.ts';

const SORT: SortFields = {
  size: { column: 'size', type: 'int8' },
  timestamp: { column: 'timestamp', type: 'timestamptz' },
};

/** Lists all tree heads of the tenant, by default the newest first. */
export function listTreeHeads(deps: ProofsDeps): Handler<typeof audit.AuditService.listTreeHeads> {
  return async (request, context) => {
    const answer = await deps.database.readTenant(context.tenantId, (reader) =>
      pageOf({
        request,
        query: reader.selectFrom('tree_heads').selectAll(),
        sort: SORT,
        defaultSort: 'size',
        defaultOrder: 'desc',
        tieBreaker: { column: 'size', type: 'int8' },
        total: async () => (await reader.selectFrom('trees').select('heads').executeTakeFirst())?.heads ?? 0,
        map: headOfRow,
      }),
    );
    await recordRead(deps, context, request);
    return answer;
  };
}
