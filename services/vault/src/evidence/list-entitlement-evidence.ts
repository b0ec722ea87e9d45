import type * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import { keysetCursor, parseKeysetCursor } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { time } from '../ids.ts';
import type { EvidenceDeps } from './deps.ts';
import { PAGE_SIZE } from './page-size.ts';

/** Entitlements in force at a given time. Rows are kept after their end, so past times can be answered. */
export function listEntitlementEvidence(
  deps: EvidenceDeps,
): Handler<typeof vaultEvidence.EvidenceService.listEntitlementEvidence> {
  return async ({ at, cursor }, context) => {
    if (!at) throw ClavigerError.invalid('/at', 'is required');
    const after = parseKeysetCursor(cursor, 1);
    const rows = await deps.database.readTenant(context.tenantId, (reader) => {
      const query = reader
        .selectFrom('entitlements')
        .innerJoin('entries', 'entries.id', 'entitlements.entry_id')
        .leftJoin('assets', 'assets.id', 'entries.asset_id')
        .select([
          'entitlements.grant_id',
          'entitlements.entry_id',
          'entitlements.user_id',
          'entitlements.one_time',
          'entitlements.placed_at',
          'entitlements.expires_at',
          'entries.name as entry_name',
          'assets.name as resource_name',
        ])
        .where(
          sql<boolean>`entitlements.placed_at < ${at} AND entitlements.expires_at >= ${at}
            AND (entitlements.removed_at IS NULL OR entitlements.removed_at >= ${at})`,
        )
        .orderBy('entitlements.grant_id')
        .limit(PAGE_SIZE);
      return (after ? query.where(sql<boolean>`entitlements.grant_id > ${after[0]}::uuid`) : query).execute();
    });
    const last = rows.length < PAGE_SIZE ? undefined : rows.at(-1);
    return {
      items: rows.map((row) => ({
        grantId: row.grant_id,
        entryId: row.entry_id,
        entryName: row.entry_name,
        resourceName: row.resource_name ?? '',
        userId: row.user_id,
        oneTime: row.one_time,
        placedAt: time(row.placed_at),
        expiresAt: time(row.expires_at),
      })),
      nextCursor: keysetCursor(last && [last.grant_id]),
    };
  };
}
