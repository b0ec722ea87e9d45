import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { LockedEntry } from '../entries/entry-store.ts';
import type { VaultReader } from '../schema.ts';
import { type Access, reaches } from './access.ts';
import { effectiveAccess, isAdministrator } from './effective-access.ts';

/**
 * Throws `denied` unless the actor has this access to the account that the login to the target uses, or owns
 * the resource.
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
    `This logs in to the target with an account that you may not use: it requires ${needed} access to that entry.`,
    {
      code: 'insufficient_access',
      hint: 'Ask the owner of the resource to do it, or a user with full access to share its admin entry with you.',
    },
  );
}

/**
 * Throws `denied` unless the actor may use the resource's admin entry, if that entry changes the password: by
 * the resource's setting, or with `byAdmin`.
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
