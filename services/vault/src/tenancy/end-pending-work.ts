import { sql } from 'kysely';
import { isDisclosure } from '../rotation/disclosure-triggers.ts';
import type { VaultTx } from '../schema.ts';
import type { TenancyDeps } from './deps.ts';

/**
 * Ends pending work in a tenant that was suspended or whose database was restored. Entitlements expire.
 * Rotations that have not changed their target end; those of a grant's end or of a schedule are queued again
 * later, with a new pending version. Rotations that may have changed their target are kept and resolved, so
 * no password is lost.
 */
export async function endPendingWork(
  deps: Pick<TenancyDeps, 'emitter'>,
  tx: VaultTx,
  end: { readonly tenantId: string; readonly reason: string },
): Promise<{ entitlements: number; rotations: number }> {
  const entitlements = await tx
    .updateTable('entitlements')
    .set({ expires_at: sql<string>`least(expires_at, clock_timestamp())` })
    .where('removed_at', 'is', null)
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .executeTakeFirst();
  const ended = await tx
    .updateTable('rotations')
    .set({
      state: 'refused',
      problem: end.reason,
      next_attempt_at: null,
      finished_at: sql<Date>`clock_timestamp()`,
      lease_owner: null,
      lease_until: null,
    })
    .where('state', '=', 'pending')
    .where('finished_at', 'is', null)
    .returning(['id', 'entry_id', 'version', 'trigger'])
    .execute();
  for (const rotation of ended) {
    await tx
      .updateTable('entry_versions')
      .set({ state: 'rejected' })
      .where('entry_id', '=', rotation.entry_id)
      .where('version', '=', rotation.version)
      .where('state', '=', 'pending')
      .execute();
    await tx
      .updateTable('entries')
      .set({
        rotation_state: 'idle',
        ...(rotation.trigger === 'manual'
          ? {}
          : { next_rotation_at: sql<Date>`least(coalesce(next_rotation_at, 'infinity'), now())` }),
        ...(isDisclosure(rotation.trigger) ? { rotation_cause: rotation.trigger } : {}),
      })
      .where('id', '=', rotation.entry_id)
      .execute();
    await deps.emitter.auditDuty(tx, {
      tenantId: end.tenantId,
      action: 'vault.entry.rotated',
      outcome: 'failed',
      subjectType: 'entry',
      subjectId: rotation.entry_id,
      resourceId: '',
      requestId: rotation.id,
      reason: end.reason,
      details: {
        rotationId: rotation.id,
        state: 'refused',
        trigger: rotation.trigger,
        version: rotation.version,
      },
    });
  }
  return { entitlements: Number(entitlements.numUpdatedRows), rotations: ended.length };
}
