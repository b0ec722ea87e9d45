import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { LockedEntry } from '../entries/entry-store.ts';
import type { VaultReader } from '../schema.ts';
import { type Access, reaches } from './access.ts';
import { effectiveAccess, isAdministrator } from './effective-access.ts';

/**
 * Who acts on a resource's target with an account of somebody needs this access to that account, or owns the resource. Throws
 * `denied`.
 */
export async function requireAccountUse(
  reader: VaultReader,
  context: CallContext,
  resource: { readonly owner_id: string | null },
  entryId: string,
  needed: Access,
): Promise<void> {
  const { actor } = context;
  if (isAdministrator(actor) || resource.owner_id === actor.userId) return;
  const { access } = await effectiveAccess(reader, actor, entryId);
  if (reaches(access, needed)) return;
  throw new ClavigerError(
    'denied',
    `This logs in to the target with an account that you may not use: it takes ${needed} access to that entry.`,
    {
      code: 'insufficient_access',
      hint: 'Ask the owner of the resource to do it, or somebody with full access to share its admin entry with you.',
    },
  );
}

/**
 * To have a password changed through the admin entry of the resource, now or by a schedule: where the resource
 * rotates so, or `byAdmin` says it. Throws `denied`.
 */
export async function requireRotationRight(
  reader: VaultReader,
  context: CallContext,
  entry: Pick<LockedEntry, 'asset_id'>,
  { byAdmin = false }: { readonly byAdmin?: boolean } = {},
): Promise<void> {
  if (!entry.asset_id) return;
  const resource = await reader
    .selectFrom('assets')
    .leftJoin('modules', 'modules.id', 'assets.module_id')
    .select(['assets.owner_id', 'assets.admin_entry_id', 'assets.settings', 'modules.config'])
    .where('assets.id', '=', entry.asset_id)
    .executeTakeFirst();
  if (!resource?.admin_entry_id) return;
  if (!byAdmin && (resource.settings.rotateAs ?? resource.config?.rotateAs) !== 'admin') return;
  await requireAccountUse(reader, context, resource, resource.admin_entry_id, 'modify');
}
