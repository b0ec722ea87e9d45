import type * as exposure from '@claviger/contracts/vault/v1/exposure';
import { requireActiveTenant } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { VaultTx } from '../schema.ts';
import type { ExposureDeps } from './deps.ts';
import { requireUser } from './require-user.ts';
import { obstacleReason } from './rotation-obstacles.ts';

const NAMED_IN_EVENT = 100;

/**
 * Puts every current secret that a user has seen into the due queue of rotations, in one transaction. The
 * sweep rotates them, even if the vault is sealed now. Repeatable: entries that are queued or being rotated
 * are counted, not queued twice. Later disclosures to the user are new exposures.
 */
export function rotateUserExposure(
  deps: ExposureDeps,
): Handler<typeof exposure.ExposureService.rotateUserExposure> {
  return async (request, context) => {
    context.auditSubject = { type: 'user', id: request.userId };
    const userId = await requireUser(deps, context, request.userId);
    return deps.database.withTenant(context.tenantId, async (tx) => {
      await requireActiveTenant(tx);
      const known = await lockSeenEntries(
        tx,
        userId,
        request.entryIds.length === 0 ? undefined : request.entryIds,
      );
      const impossible = known.filter((row) => row.obstacle !== null && !row.under_way);
      const possible = known.filter((row) => row.obstacle === null || row.under_way);
      const waiting = possible.filter((row) => row.under_way || row.due);
      const ids = possible.map((row) => row.entry_id);
      if (ids.length > 0) await queue(tx, ids);
      const counts = { queued: possible.length - waiting.length, alreadyQueued: waiting.length };
      await deps.emitter.audit(tx, context, {
        subject: { type: 'user', id: userId },
        reason: request.reason,
        details: {
          ...counts,
          impossible: impossible.length,
          // Each rotation records an event of its own when it starts.
          entryIds: ids.slice(0, NAMED_IN_EVENT),
        },
      });
      return {
        ...counts,
        rotatedEntryIds: ids,
        impossible: impossible.map((row) => ({
          entryId: row.entry_id,
          entryName: row.entry_name,
          reason: obstacleReason(row.obstacle!),
        })),
      };
    });
  };
}

/**
 * The current secrets that the user has seen. Entries are locked in the order of their ids and read after the
 * lock.
 */
async function lockSeenEntries(tx: VaultTx, userId: string, only: readonly string[] | undefined) {
  await tx
    .selectFrom('entries')
    .select('id')
    .where('status', '=', 'active')
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('exposure_paths as p')
          .select('p.user_id')
          .whereRef('p.entry_id', '=', 'entries.id')
          .whereRef('p.version', '=', 'entries.current_version')
          .where('p.user_id', '=', userId),
      ),
    )
    .$if(only !== undefined, (query) => query.where(sql<boolean>`id = ANY (${only}::uuid[])`))
    .orderBy('id')
    .forUpdate()
    .execute();
  return tx
    .selectFrom('exposure_ledger')
    .select(['entry_id', 'entry_name', 'under_way', 'due', 'obstacle'])
    .where('user_id', '=', userId)
    .where('current', '=', true)
    .$if(only !== undefined, (query) => query.where(sql<boolean>`entry_id = ANY (${only}::uuid[])`))
    .orderBy('entry_name')
    .orderBy('entry_id')
    .execute();
}

/** An open rotation replaces the secret. If it fails, the due queue keeps the request. */
async function queue(tx: VaultTx, ids: readonly string[]): Promise<void> {
  await tx
    .updateTable('entries')
    .set({
      next_rotation_at: sql<Date>`least(coalesce(next_rotation_at, 'infinity'), now())`,
      rotation_cause: 'exposure',
    })
    .where(sql<boolean>`id = ANY (${ids}::uuid[])`)
    .execute();
}
