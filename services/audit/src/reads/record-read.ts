import { createHash } from 'node:crypto';
import { redact } from '@claviger/contracts';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { canonicalJson } from '@claviger/merkle';
import type { AuditSubject, CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { ReadsDeps } from './deps.ts';

/** Where somebody is in a list and how it is sorted says nothing of what they look for. */
const NOT_FILTER = new Set(['page', 'pageSize', 'sortBy', 'sortOrder', 'cursor']);

/**
 * Records that somebody read of the log, before the answer leaves; without the record there is no answer. The first read of an
 * actor, operation and filter leaves its event at once. Repetitions are counted, and told by an event ten minutes later.
 *
 * Called after the read, in a transaction of its own: readers of the same thing wait for each other only that long.
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
    throw new ClavigerError('audit_unavailable', 'The audit record cannot be written; nothing is shown.', {
      cause,
      retryAfterSeconds: 1,
    });
  }
}

/** The public fields of the request that say what was looked for; what was not given is left out. */
function filterOf(context: CallContext, request: object): Record<string, unknown> {
  const given = Object.entries(redact(context.method.request, request)).filter(
    ([name, value]) => !NOT_FILTER.has(name) && value !== '' && value !== undefined,
  );
  // As JSON says it: dates and absent members have no canonical form.
  return JSON.parse(JSON.stringify(Object.fromEntries(given))) as Record<string, unknown>;
}
