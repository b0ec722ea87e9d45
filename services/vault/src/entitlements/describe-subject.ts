import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { unproven } from '../rights/unproven.ts';
import type { VaultReader } from '../schema.ts';
import type { EntitlementsDeps } from './deps.ts';

/** The entry of a request. For a resource with exactly one entry, this is that entry. */
export function describeSubject(
  deps: EntitlementsDeps,
): Handler<typeof vault.EntitlementsService.describeSubject> {
  return ({ entryId, resourceId }, context) =>
    deps.database.readTenant(context.tenantId, async (reader) => {
      if (!entryId && !resourceId)
        throw ClavigerError.invalid('/entryId', 'is required unless resourceId is given');
      const id = entryId || (await onlyEntry(reader, resourceId));
      const row = await reader
        .selectFrom('entries')
        .leftJoin('assets', 'assets.id', 'entries.asset_id')
        .leftJoin('modules', 'modules.id', 'assets.module_id')
        .select([
          'entries.name',
          'entries.username',
          'entries.asset_id',
          'entries.unproven',
          'assets.name as asset_name',
          'modules.type as module_type',
        ])
        .where('entries.id', '=', id)
        .where('entries.status', '=', 'active')
        .executeTakeFirst();
      if (!row) throw ClavigerError.notFound();
      if (row.unproven) throw unproven('conflict', 'This account');
      if (entryId && resourceId && row.asset_id !== resourceId) {
        throw ClavigerError.invalid('/entryId', 'is not an entry of this resource');
      }
      return {
        entryId: id,
        entryName: row.name,
        username: row.username,
        resourceId: row.asset_id ?? '',
        resourceName: row.asset_name ?? '',
        moduleType: row.module_type ?? '',
      };
    });
}

async function onlyEntry(reader: VaultReader, resourceId: string): Promise<string> {
  const resource = await reader
    .selectFrom('assets')
    .select('id')
    .where('id', '=', resourceId)
    .executeTakeFirst();
  if (!resource) throw ClavigerError.notFound();
  const entries = await reader
    .selectFrom('entries')
    .select('id')
    .where('asset_id', '=', resourceId)
    .where('status', '=', 'active')
    .limit(2)
    .execute();
  if (entries.length === 1) return entries[0]!.id;
  throw ClavigerError.invalid(
    '/entryId',
    entries.length === 0
      ? 'the resource has no entry to request'
      : 'is required: the resource has several entries',
  );
}
