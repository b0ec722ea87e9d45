import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import { pageOf } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { time } from '../ids.ts';
import type { EncryptionDeps } from './deps.ts';
import { keyJobById } from './key-jobs-store.ts';

/** Sorted by entry and version. */
export function listKeyFindings(
  deps: EncryptionDeps,
): Handler<typeof encryption.EncryptionService.listKeyFindings> {
  return async (request, context) => {
    const id = request.jobId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      await keyJobById(reader, id);
      let findings = reader.selectFrom('key_findings').where('job_id', '=', id);
      if (request.outcome) findings = findings.where('outcome', '=', request.outcome as 'repaired');
      return pageOf({
        request,
        query: findings
          .innerJoin('entries', (join) =>
            join
              .onRef('entries.tenant_id', '=', 'key_findings.tenant_id')
              .onRef('entries.id', '=', 'key_findings.entry_id'),
          )
          .select(['entry_id', 'entries.name as entry_name', 'version', 'outcome', 'problem', 'found_at']),
        sort: {
          foundAt: { column: 'found_at', type: 'timestamptz' },
          entryName: { column: 'entries.name', type: 'text' },
        },
        defaultSort: 'foundAt',
        tieBreaker: { column: 'entry_id', type: 'uuid' },
        map: (row): encryption.KeyFinding => ({
          entryId: row.entry_id,
          entryName: row.entry_name,
          version: row.version,
          outcome: row.outcome,
          problem: row.problem,
          foundAt: time(row.found_at),
        }),
      });
    });
  };
}
