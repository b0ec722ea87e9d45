import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { RulesDeps } from './deps.ts';
import { readVersion } from './load-rule-set.ts';
import { revisionPage } from './revision-page.ts';
import { ruleMessage } from './rule-view.ts';

const SORT: SortFields = {
  priority: { column: 'asked', type: 'int8' },
  name: { column: 'name', type: 'text' },
  createdAt: { column: 'created_at', type: 'timestamptz' },
  updatedAt: { column: 'changed_at', type: 'timestamptz' },
};

/** In the order of evaluation, unless the request sorts. */
export function listRules(deps: RulesDeps): Handler<typeof contract.PamRulesService.listRules> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, async (reader) => {
      const page = await revisionPage(reader, {
        kind: 'rule',
        request,
        actor: context.actor,
        sort: SORT,
        defaultSort: 'priority',
        narrow: (rows) => {
          let narrowed = rows;
          if (request.enabled !== undefined) narrowed = narrowed.where('enabled', '=', request.enabled);
          if (request.siteId) narrowed = narrowed.where('site_id', '=', request.siteId.toLowerCase());
          if (request.verdict)
            narrowed = narrowed.where(sql<string>`body ->> 'verdict'`, '=', request.verdict);
          return narrowed;
        },
      });
      return {
        success: true,
        rules: page.rows.map(ruleMessage),
        pagination: page.pagination,
        nextCursor: page.nextCursor,
        ruleSetVersion: `${await readVersion(reader)}`,
      };
    });
}
