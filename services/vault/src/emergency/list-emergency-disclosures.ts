import type * as emergency from '@claviger/contracts/vault/v1/emergency';
import type { Handler } from '@claviger/service-kit';
import { time } from '../ids.ts';
import type { EmergencyDeps } from './deps.ts';

/** The audit log has all of them. */
const LIMIT = 1_000;

/** In the order of disclosure. */
export function listEmergencyDisclosures(
  deps: EmergencyDeps,
): Handler<typeof emergency.EmergencyService.listEmergencyDisclosures> {
  return async ({ sessionId }, context) => {
    const rows = await deps.database.readTenant(context.tenantId, (reader) =>
      reader
        .selectFrom('emergency_disclosures as d')
        .innerJoin('entries', (join) =>
          join.onRef('entries.tenant_id', '=', 'd.tenant_id').onRef('entries.id', '=', 'd.entry_id'),
        )
        .selectAll('d')
        .select('entries.name as entry_name')
        .where('d.session_id', '=', sessionId)
        .orderBy('d.disclosed_at')
        .orderBy('d.event_id')
        .limit(LIMIT)
        .execute(),
    );
    return {
      items: rows.map((row) => ({
        eventId: row.event_id,
        entryId: row.entry_id,
        entryName: row.entry_name,
        version: row.version,
        disclosedAt: time(row.disclosed_at),
        rotation: row.rotation ?? '',
        fromJournal: row.from_journal,
      })),
    };
  };
}
