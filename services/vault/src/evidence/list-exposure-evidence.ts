import type * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import { keysetCursor, parseKeysetCursor } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { time } from '../ids.ts';
import type { EvidenceDeps } from './deps.ts';
import { PAGE_SIZE } from './page-size.ts';

/** Who has seen which version, from the exposure ledger, for comparison with the audit log. */
export function listExposureEvidence(
  deps: EvidenceDeps,
): Handler<typeof vaultEvidence.EvidenceService.listExposureEvidence> {
  return async ({ from, before, cursor }, context) => {
    if (!from || !before) throw ClavigerError.invalid('/from', 'from and before are required');
    const after = parseKeysetCursor(cursor, 3);
    const rows = await deps.database.readTenant(context.tenantId, (reader) => {
      const query = reader
        .selectFrom('exposures')
        .select(['entry_id', 'version', 'user_id', 'first_seen_at', 'last_seen_at'])
        .where(sql<boolean>`last_seen_at >= ${from} AND last_seen_at < ${before}`)
        .orderBy('entry_id')
        .orderBy('version')
        .orderBy('user_id')
        .limit(PAGE_SIZE);
      return (
        after
          ? query.where(
              sql<boolean>`(entry_id, version, user_id) > (${after[0]}::uuid, ${after[1]}::int, ${after[2]}::uuid)`,
            )
          : query
      ).execute();
    });
    const last = rows.length < PAGE_SIZE ? undefined : rows.at(-1);
    return {
      items: rows.map((row) => ({
        entryId: row.entry_id,
        version: row.version,
        userId: row.user_id,
        firstSeenAt: time(row.first_seen_at),
        lastSeenAt: time(row.last_seen_at),
      })),
      nextCursor: keysetCursor(last && [last.entry_id, `${last.version}`, last.user_id]),
    };
  };
}
