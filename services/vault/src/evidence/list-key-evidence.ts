import type * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EvidenceDeps } from './deps.ts';

interface KeyRow {
  id: string;
  version: number;
  state: string;
  provider_id: string;
  created_at: Date;
  versions_wrapped: number;
}

/** The tenant's KEKs: ids, versions and ages. A tenant has few, so one page holds all. */
export function listKeyEvidence(
  deps: EvidenceDeps,
): Handler<typeof vaultEvidence.EvidenceService.listKeyEvidence> {
  return async (_request, context) => {
    const { rows } = await deps.database.readTenant(context.tenantId, (reader) =>
      sql<KeyRow>`
        SELECT keks.id, keks.version, keks.state, keks.provider_id, keks.created_at,
          (SELECT count(*) FROM entry_versions WHERE entry_versions.kek_id = keks.id) AS versions_wrapped
        FROM keks ORDER BY keks.version, keks.id`.execute(reader),
    );
    return {
      items: rows.map((row) => ({
        id: row.id,
        version: row.version,
        state: row.state,
        providerId: row.provider_id,
        createdAt: row.created_at.toISOString(),
        versionsWrapped: row.versions_wrapped,
      })),
      nextCursor: '',
    };
  };
}
