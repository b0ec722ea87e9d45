import type { Leadership } from '@claviger/cluster';
import { requireActiveTenant } from '@claviger/database';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { LockedEntry } from '../entries/entry-store.ts';
import type { VaultTx } from '../schema.ts';
import { asAdmin } from './as-admin.ts';
import type { RotationDeps } from './deps.ts';
import { requestRotation, requireRotatable } from './request-rotation.ts';

/** A rotation can start: none is open, and an entry out of sync is rotated only after a disclosure. */
export const isFree = sql<boolean>`(rotation_state = 'idle'
  OR rotation_state = 'out_of_sync' AND rotation_cause IS NOT NULL)`;

/**
 * Queues the rotation of a due entry and sets its next time, in one transaction under the entry's lock, so
 * that two sweeps queue it once. If it cannot be rotated now, it is due again after an hour, or after a day
 * if only a person can help, and an audit event has the reason.
 */
export async function queueScheduled(
  deps: RotationDeps,
  tenantId: string,
  entryId: string,
  leadership: Leadership,
): Promise<void> {
  deps.secrets.requireOpen();
  const kek = await deps.secrets.keyFor(tenantId);
  await deps.database.withTenant(tenantId, async (tx) => {
    await leadership.assert(tx);
    await requireActiveTenant(tx);
    const entry = await tx
      .selectFrom('entries')
      .selectAll()
      .where('id', '=', entryId)
      .where('status', '=', 'active')
      .where(isFree)
      .where('next_rotation_at', '<=', sql<Date>`now()`)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    if (!entry) return;
    const trigger = entry.rotation_cause ?? (entry.rotation_interval_hours > 0 ? 'schedule' : 'grant-ended');
    try {
      const target = await requireRotatable(tx, entry);
      if (entry.rotation_state === 'out_of_sync' && !asAdmin(target)) throw outOfSync();
    } catch (error) {
      if (!isClavigerError(error)) throw error;
      await tx
        .updateTable('entries')
        .set({
          next_rotation_at:
            entry.rotation_state === 'out_of_sync'
              ? sql<Date>`now() + interval '1 day'`
              : sql<Date>`now() + interval '1 hour'`,
        })
        .where('id', '=', entry.id)
        .execute();
      await audit(tx, deps, entry, 'failed', error.code, { trigger });
      return;
    }
    await tx
      .updateTable('entries')
      .set({
        next_rotation_at: sql<Date | null>`CASE WHEN rotation_interval_hours > 0
          THEN now() + make_interval(hours => rotation_interval_hours) END`,
        rotation_cause: null,
      })
      .where('id', '=', entry.id)
      .execute();
    const secretLost = entry.rotation_state === 'out_of_sync';
    const rotation = await requestRotation(tx, deps, {
      entry,
      kek,
      trigger,
      requestedBy: 'vault',
      secretLost,
    });
    await audit(tx, deps, entry, 'allowed', '', {
      trigger,
      rotationId: rotation.id,
      version: rotation.version,
    });
  });
}

async function audit(
  tx: VaultTx,
  deps: RotationDeps,
  entry: LockedEntry,
  outcome: 'allowed' | 'failed',
  reason: string,
  details: Record<string, unknown>,
): Promise<void> {
  await deps.emitter.auditDuty(tx, {
    tenantId: entry.tenant_id,
    action: 'vault.entry.rotation-requested',
    outcome,
    subjectType: 'entry',
    subjectId: entry.id,
    resourceId: entry.asset_id ?? '',
    requestId: '',
    reason,
    details,
  });
}

function outOfSync(): ClavigerError {
  return new ClavigerError(
    'conflict',
    'The target accepts none of the stored secrets, and no admin entry can set one.',
    {
      code: 'out_of_sync',
    },
  );
}
