import type * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EvidenceDeps } from './deps.ts';

/** Counts of entries that meet and that break the rules about secrets, now by the database's clock. */
export function getVaultPosture(
  deps: EvidenceDeps,
): Handler<typeof vaultEvidence.EvidenceService.getVaultPosture> {
  return async (_request, context) => {
    const { rows } = await deps.database.readTenant(context.tenantId, (reader) =>
      sql<vaultEvidence.GetVaultPostureResponse>`
        SELECT
          (SELECT count(*) FROM entries WHERE status = 'active' AND rotation_interval_hours > 0) AS "scheduledEntries",
          (SELECT count(*) FROM entries WHERE status = 'active' AND rotation_interval_hours > 0
            AND next_rotation_at < now() - interval '1 day') AS "overdueEntries",
          (SELECT count(*) FROM entries WHERE status = 'active'
            AND (rotation_state IN ('ambiguous', 'out_of_sync') OR EXISTS (SELECT FROM rotations r
              WHERE r.entry_id = entries.id AND r.finished_at IS NULL
                AND r.requested_at < now() - interval '1 day'))) AS "unsettledEntries",
          (SELECT count(*) FROM entries WHERE status = 'active') AS "activeEntries",
          (SELECT count(*) FROM entries WHERE status = 'active' AND rotation_interval_hours > 0
            AND coalesce(last_rotated_at, created_at) < now() - make_interval(hours => rotation_interval_hours + 24))
            AS "entriesOlderThanPolicy",
          (SELECT count(*) FROM keks WHERE state = 'active') AS "activeKeks",
          (SELECT count(*) FROM keks WHERE state = 'active' AND created_at < now() - interval '90 days') AS "oldKeks",
          (SELECT count(*) FROM entitlements WHERE removed_at IS NULL
            AND expires_at < now() - interval '5 minutes') AS "lingeringEntitlements",
          (SELECT count(*) FROM entitlements WHERE removed_at IS NULL) AS "liveEntitlements"`.execute(reader),
    );
    return rows[0]!;
  };
}
