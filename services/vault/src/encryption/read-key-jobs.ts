import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import { pageOf } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { requireId, time } from '../ids.ts';
import type { VaultReader } from '../schema.ts';
import { type KeyJobRow, toKeyJob } from './key-jobs-store.ts';

type Service = typeof encryption.EncryptionService;

/** Newest first. */
export function listKeyJobs(deps: VaultDeps): Handler<Service['listKeyJobs']> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) => {
      let jobs = reader.selectFrom('key_jobs');
      if (request.state) jobs = jobs.where('state', '=', request.state as KeyJobRow['state']);
      return pageOf({
        request,
        query: jobs.selectAll(),
        sort: { createdAt: { column: 'created_at', type: 'timestamptz' } },
        defaultSort: 'createdAt',
        defaultOrder: 'desc',
        tieBreaker: { column: 'id', type: 'uuid' },
        map: toKeyJob,
      });
    });
}

export function getKeyJob(deps: VaultDeps): Handler<Service['getKeyJob']> {
  return async (request, context) => {
    const id = requireId(request.jobId);
    return deps.database.readTenant(context.tenantId, async (reader) => ({
      job: toKeyJob(await jobById(reader, id)),
    }));
  };
}

/** By entry and version. */
export function listKeyFindings(deps: VaultDeps): Handler<Service['listKeyFindings']> {
  return async (request, context) => {
    const id = requireId(request.jobId);
    return deps.database.readTenant(context.tenantId, async (reader) => {
      await jobById(reader, id);
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

async function jobById(reader: VaultReader, id: string): Promise<KeyJobRow> {
  const row = await reader.selectFrom('key_jobs').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return row;
}
