import type * as vault from '@claviger/contracts/vault/v1/vault';
import { requireActiveTenant } from '@claviger/database';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { auditUnavailable } from '../disclosure/disclosure-gate.ts';
import { receiptOf } from '../disclosure/receipt.ts';
import { recordExposure } from '../disclosure/record-exposure.ts';
import { ENCRYPTED_COLUMNS } from '../encryption/secrets.ts';
import { requireAccess } from '../rights/require-access.ts';
import { requireLiveGrant } from '../rights/require-live-grant.ts';
import type { EntriesDeps } from './deps.ts';
import { entryById, entrySubject } from './entry-store.ts';

const MAX_CANDIDATES = 50;

/**
 * Returns every secret that the target may hold, newest first: pending versions, the current and the previous
 * one, and those rejected within 30 days, because a slow target may have accepted one later. If the entry
 * requires a grant, so does this.
 */
export function recoverCandidates(deps: EntriesDeps): Handler<typeof vault.EntriesService.recoverCandidates> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = request.entryId;
    deps.secrets.requireOpen();
    const { tenantId, actor } = context;
    const { rows, event } = await deps.database
      .withTenant(tenantId, async (tx) => {
        await requireActiveTenant(tx);
        const entry = await entryById(tx, id);
        await requireAccess(tx, context, entry);
        if (entry.requires_grant) await requireLiveGrant(tx, context, id);
        const rows = await tx
          .selectFrom('entry_versions')
          .select(ENCRYPTED_COLUMNS)
          .select('state')
          .where('entry_id', '=', id)
          .where((eb) =>
            eb.or([
              eb('state', 'in', ['pending', 'current']),
              eb.and([
                eb('state', '=', 'rejected'),
                eb('state_changed_at', '>', sql<Date>`now() - interval '30 days'`),
              ]),
              eb('version', '=', (sub) =>
                sub
                  .selectFrom('entry_versions as before')
                  .select((max) => max.fn.max('before.version').as('version'))
                  .where('before.entry_id', '=', id)
                  .where('before.state', '=', 'previous'),
              ),
            ]),
          )
          .orderBy('version', 'desc')
          .limit(MAX_CANDIDATES)
          .execute();
        for (const { version } of rows) {
          await recordExposure(tx, tenantId, {
            entryId: id,
            version,
            userId: actor.userId,
            userName: actor.userName,
            kind: 'recovery',
            via: null,
          });
        }
        const event = await deps.emitter.audit(tx, context, {
          subject: entrySubject(entry),
          reason: request.reason,
          details: { versions: rows.map((row) => row.version), rotationState: entry.rotation_state },
        });
        return { rows, event };
      })
      .catch((error: unknown): never => {
        if (isClavigerError(error) && error.reason !== 'unavailable') throw error;
        throw auditUnavailable(error);
      });
    if (rows.length === 0) throw ClavigerError.notFound();
    const items = await Promise.all(
      rows.map(async (row) => ({
        version: row.version,
        state: row.state,
        secret: await deps.secrets.decrypt(row),
      })),
    );
    return { items, receipt: receiptOf(event, deps.receiptKey) };
  };
}
