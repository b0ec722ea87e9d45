import { createHash } from 'node:crypto';
import { redact } from '@claviger/contracts';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { canonicalJson } from '@claviger/merkle';
import type { AuditSubject, CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { ReadsDeps } from './deps.ts';

/** Paging and sorting do not change what is read. */
const NOT_FILTER = new Set(['page', 'pageSize', 'sortBy', 'sortOrder', 'cursor']);

/**
 * Records a read of the log before the answer is sent; if that fails, the call fails. The first read of an
 * actor, operation and filter writes its event at once. Repetitions are counted, and one event ten minutes
 * later contains the count. The record has its own transaction after the read, so that equal reads block each
 * other only briefly.
 */
export async function recordRead(
  deps: Pick<ReadsDeps, 'database' | 'emitter'>,
  context: CallContext,
  request: object,
  subject?: AuditSubject,
): Promise<void> {
  const filter = filterOf(context, request);
  const { actor, method } = context;
  const key = createHash('sha256')
    .update(canonicalJson([actor.kind, actor.userId, method.path, filter]))
    .digest();
  try {
    await deps.database.withTenant(context.tenantId, async (tx) => {
      const repeated = await tx
        .updateTable('audited_reads')
        .set((eb) => ({ repeated: eb('repeated', '+', 1), last_at: sql<Date>`clock_timestamp()` }))
        .where('key', '=', key)
        .executeTakeFirst();
      if (repeated.numUpdatedRows > 0n) {
        context.audited = true;
        return;
      }
      const { row, sealed } = deps.emitter.auditRow(context, {
        details: { ...filter, reads: 1 },
        ...(subject ? { subject } : {}),
      });
      const opened = await tx
        .insertInto('audited_reads')
        .values({ tenant_id: context.tenantId, key, event: sealed.canonical })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'key']).doUpdateSet((eb) => ({
            repeated: eb('audited_reads.repeated', '+', 1),
            last_at: sql<Date>`clock_timestamp()`,
          })),
        )
        .returning('repeated')
        .executeTakeFirstOrThrow();
      if (opened.repeated === 0) await tx.insertInto('outbox').values(row).execute();
    });
  } catch (cause) {
    if (isClavigerError(cause)) throw cause;
    throw new ClavigerError(
      'audit_unavailable',
      'The read cannot be recorded in the audit log, so nothing is returned.',
      {
        cause,
        retryAfterSeconds: 1,
      },
    );
  }
}

/** The public filter fields of the request, without empty ones. */
function filterOf(context: CallContext, request: object): Record<string, unknown> {
  const given = Object.entries(redact(context.method.request, request)).filter(
    ([name, value]) => !NOT_FILTER.has(name) && value !== '' && value !== undefined,
  );
  // Dates and undefined members have no canonical form.
  return JSON.parse(JSON.stringify(Object.fromEntries(given))) as Record<string, unknown>;
}
