import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireRowVersion } from '../ids.ts';
import { lockEntry } from '../rights/lock-entry.ts';
import type { EntriesDeps } from './deps.ts';
import { entrySubject, refuseDuringRotation } from './entry-store.ts';

/** Makes the entry invisible. Its encrypted versions stay until the purge at the end of the retention. */
export function deleteEntry(deps: EntriesDeps): Handler<typeof vault.EntriesService.deleteEntry> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = request.entryId;
    await deps.database.withTenant(context.tenantId, async (tx) => {
      const entry = await lockEntry(tx, context, id);
      requireRowVersion(request.rowVersion, entry.row_version);
      refuseDuringRotation(entry);
      const inUse = (message: string, hint: string) =>
        new ClavigerError('conflict', message, { code: 'in_use', hint });
      if (entry.rotation_state === 'out_of_sync') {
        throw inUse(
          'It is in doubt which password the target holds.',
          'Recover the possible secrets and store the right one first.',
        );
      }
      const grant = await tx
        .selectFrom('entitlements')
        .select('grant_id')
        .where('entry_id', '=', id)
        .where('removed_at', 'is', null)
        .where('expires_at', '>', sql<Date>`now()`)
        .limit(1)
        .executeTakeFirst();
      if (grant) throw inUse('The entry has a live grant.', 'Revoke the grant first.');
      const admin = await tx
        .selectFrom('assets')
        .select('id')
        .where('admin_entry_id', '=', id)
        .limit(1)
        .executeTakeFirst();
      if (admin) {
        throw inUse(
          'The entry is the admin entry of a resource.',
          'Give the resource another admin entry first.',
        );
      }
      await tx
        .updateTable('entries')
        .set({
          status: 'deleted',
          deleted_at: sql<Date>`now()`,
          next_rotation_at: null,
          row_version: entry.row_version + 1,
          updated_at: sql<Date>`now()`,
        })
        .where('id', '=', id)
        .execute();
      await deps.emitter.audit(tx, context, {
        subject: entrySubject(entry),
        details: { name: entry.name, version: entry.current_version },
      });
    });
    return {};
  };
}
