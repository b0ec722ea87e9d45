import { rowMapper } from '@claviger/contracts';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Selectable } from 'kysely';
import type { VaultReader, VaultSchema } from '../schema.ts';

/** Entries as the API returns them, without deleted ones; no order, no limit. */
export function entryQuery(reader: VaultReader) {
  return reader
    .selectFrom('entries')
    .leftJoin('assets', 'assets.id', 'entries.asset_id')
    .where('entries.status', '=', 'active')
    .select([
      'entries.id',
      'entries.name',
      'entries.type',
      'entries.asset_id',
      'assets.name as asset_name',
      'entries.username',
      'entries.description',
      'entries.tags',
      'entries.current_version',
      'entries.rotation_state',
      'entries.rotation_interval_hours',
      'entries.next_rotation_at',
      'entries.last_rotated_at',
      'entries.last_verified_at',
      'entries.requires_grant',
      'entries.requires_reason',
      'entries.row_version',
      'entries.created_at',
      'entries.updated_at',
      'entries.status',
      'entries.owner_id',
      'entries.unproven',
    ]);
}

export type EntryRow = Awaited<ReturnType<ReturnType<typeof entryQuery>['executeTakeFirstOrThrow']>>;
export type LockedEntry = Selectable<VaultSchema['entries']>;

const mapEntry = rowMapper<vault.Entry>('claviger.vault.v1.Entry');

export function toEntry(row: EntryRow): vault.Entry {
  return mapEntry({
    ...row,
    resource_id: row.asset_id,
    resource_name: row.asset_name,
  });
}

/** Throws `not_found`. */
export async function entryById(reader: VaultReader, id: string): Promise<EntryRow> {
  const row = await entryQuery(reader).where('entries.id', '=', id).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return row;
}

/** The subject of the entry's audit events. */
export function entrySubject(entry: { id: string; asset_id: string | null }) {
  return { type: 'entry', id: entry.id, ...(entry.asset_id ? { resourceId: entry.asset_id } : {}) };
}

/** Throws conflict `rotation_in_progress` while a rotation may still change the secret on the target. */
export function refuseDuringRotation(entry: LockedEntry): void {
  if (entry.rotation_state === 'idle' || entry.rotation_state === 'out_of_sync') return;
  throw new ClavigerError('conflict', 'A rotation of this entry has not ended.', {
    code: 'rotation_in_progress',
    hint: 'Follow it in the rotations of the entry, then try again.',
    retryAfterSeconds: 2,
  });
}
