import type * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import { keysetCursor, parseKeysetCursor } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { time } from '../ids.ts';
import type { EvidenceDeps } from './deps.ts';
import { PAGE_SIZE } from './page-size.ts';

/** Who has a share of which entry, as of now: a removed share leaves no row. */
export function listShareEvidence(
  deps: EvidenceDeps,
): Handler<typeof vaultEvidence.EvidenceService.listShareEvidence> {
  return async (request, context) => {
    const after = parseKeysetCursor(request.cursor, 2);
    const rows = await deps.database.readTenant(context.tenantId, (reader) => {
      const query = reader
        .selectFrom('shares')
        .innerJoin('entries', 'entries.id', 'shares.entry_id')
        .leftJoin('assets', 'assets.id', 'entries.asset_id')
        .select([
          'shares.entry_id',
          'shares.user_id',
          'shares.access',
          'shares.granted_by',
          'shares.created_at',
          'entries.name as entry_name',
          'assets.name as resource_name',
        ])
        .where('entries.status', '=', 'active')
        .orderBy('shares.entry_id')
        .orderBy('shares.user_id')
        .limit(PAGE_SIZE);
      return (
        after
          ? query.where(
              sql<boolean>`(shares.entry_id, shares.user_id) > (${after[0]}::uuid, ${after[1]}::uuid)`,
            )
          : query
      ).execute();
    });
    const last = rows.length < PAGE_SIZE ? undefined : rows.at(-1);
    return {
      items: rows.map((row) => ({
        entryId: row.entry_id,
        entryName: row.entry_name,
        resourceName: row.resource_name ?? '',
        userId: row.user_id,
        access: row.access,
        grantedBy: row.granted_by,
        createdAt: time(row.created_at),
      })),
      nextCursor: keysetCursor(last && [last.entry_id, last.user_id]),
    };
  };
}
