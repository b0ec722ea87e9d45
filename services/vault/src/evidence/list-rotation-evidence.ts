import type * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import { keysetCursor, parseKeysetCursor } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { time } from '../ids.ts';
import type { EvidenceDeps } from './deps.ts';
import { PAGE_SIZE } from './page-size.ts';

/** Rotations that were requested within a range, in the order of their time. */
export function listRotationEvidence(
  deps: EvidenceDeps,
): Handler<typeof vaultEvidence.EvidenceService.listRotationEvidence> {
  return async ({ from, before, cursor }, context) => {
    if (!from || !before) throw ClavigerError.invalid('/from', 'from and before are required');
    const after = parseKeysetCursor(cursor, 2);
    const rows = await deps.database.readTenant(context.tenantId, (reader) => {
      const query = reader
        .selectFrom('rotations')
        .innerJoin('entries', 'entries.id', 'rotations.entry_id')
        .leftJoin('assets', 'assets.id', 'entries.asset_id')
        .select([
          'rotations.id',
          'rotations.entry_id',
          'rotations.state',
          'rotations.trigger',
          'rotations.requested_by',
          'rotations.requested_at',
          'rotations.finished_at',
          'rotations.attempts',
          'entries.name as entry_name',
          'assets.name as resource_name',
          sql<string>`rotations.requested_at::text`.as('exact_time'),
        ])
        .where(sql<boolean>`rotations.requested_at >= ${from} AND rotations.requested_at < ${before}`)
        .orderBy('rotations.requested_at')
        .orderBy('rotations.id')
        .limit(PAGE_SIZE);
      return (
        after
          ? query.where(
              sql<boolean>`(rotations.requested_at, rotations.id) > (${after[0]}::timestamptz, ${after[1]}::uuid)`,
            )
          : query
      ).execute();
    });
    const last = rows.length < PAGE_SIZE ? undefined : rows.at(-1);
    return {
      items: rows.map((row) => ({
        id: row.id,
        entryId: row.entry_id,
        entryName: row.entry_name,
        resourceName: row.resource_name ?? '',
        state: row.state,
        trigger: row.trigger,
        requestedBy: row.requested_by,
        requestedAt: time(row.requested_at),
        finishedAt: time(row.finished_at),
        attempts: row.attempts,
      })),
      nextCursor: keysetCursor(last && [last.exact_time, last.id]),
    };
  };
}
