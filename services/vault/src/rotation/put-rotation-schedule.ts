import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { entryById, entrySubject, toEntry } from '../entries/entry-store.ts';
import { requireRowVersion } from '../ids.ts';
import { lockEntry } from '../rights/lock-entry.ts';
import { requireRotationRight } from '../rights/require-account-use.ts';
import type { RotationDeps } from './deps.ts';
import { isAccount } from './request-rotation.ts';

export function putRotationSchedule(
  deps: RotationDeps,
): Handler<typeof vault.EntriesService.putRotationSchedule> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = request.entryId;
    const { intervalHours, startsAt } = request;
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const entry = await lockEntry(tx, context, id);
      requireRowVersion(request.rowVersion, entry.row_version);
      if (intervalHours > 0 && !isAccount(entry)) {
        throw new ClavigerError('conflict', 'This entry is not an account on a target.', {
          code: 'not_rotatable',
          hint: 'Only password entries with a user name, of a resource with a module, can be rotated.',
        });
      }
      if (intervalHours > 0) await requireRotationRight(tx, context, entry);
      const first = startsAt
        ? sql<Date>`${startsAt}::timestamptz`
        : sql<Date>`now() + make_interval(hours => ${intervalHours}::int)`;
      await tx
        .updateTable('entries')
        .set({
          rotation_interval_hours: intervalHours,
          // A disclosed secret is rotated as soon as possible, whatever the schedule.
          next_rotation_at:
            entry.rotation_cause !== null ? entry.next_rotation_at : intervalHours > 0 ? first : null,
          row_version: entry.row_version + 1,
          updated_at: sql<Date>`now()`,
        })
        .where('id', '=', id)
        .execute();
      await deps.emitter.audit(tx, context, {
        subject: entrySubject(entry),
        details: {
          intervalHours,
          ...(startsAt ? { startsAt } : {}),
          before: { intervalHours: entry.rotation_interval_hours },
        },
      });
      return { entry: toEntry(await entryById(tx, id)) };
    });
  };
}
