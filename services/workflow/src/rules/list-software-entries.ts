import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { RulesDeps } from './deps.ts';
import { revisionPage } from './revision-page.ts';
import { entryMessage } from './rule-view.ts';

const SORT: SortFields = {
  name: { column: 'name', type: 'text' },
  createdAt: { column: 'created_at', type: 'timestamptz' },
  updatedAt: { column: 'changed_at', type: 'timestamptz' },
};

export function listSoftwareEntries(
  deps: RulesDeps,
): Handler<typeof contract.SoftwarePolicyService.listSoftwareEntries> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, async (reader) => {
      const { rows, pagination, nextCursor } = await revisionPage(reader, {
        kind: 'software',
        request,
        actor: context.actor,
        sort: SORT,
        defaultSort: 'name',
        narrow: (all) => (request.list ? all.where(sql<string>`body ->> 'list'`, '=', request.list) : all),
      });
      return { success: true, entries: rows.map(entryMessage), pagination, nextCursor };
    });
}
