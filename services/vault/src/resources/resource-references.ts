import { ClavigerError } from '@claviger/errors';
import type { VaultReader } from '../schema.ts';
import { parseModuleConfig } from '../targets/module-config.ts';
import { checkResource, type ResourceAddress } from '../targets/resource-target.ts';

/** Checks the references and the address of a resource. Throws `invalid` with the field. */
export async function checkReferences(
  reader: VaultReader,
  resource: ResourceAddress & { moduleId: string | null; adminEntryId: string | null },
  formerAdminEntryId: string | null = null,
): Promise<void> {
  const { moduleId, adminEntryId } = resource;
  if (adminEntryId) {
    const entry = await reader
      .selectFrom('entries')
      .select(['type', 'unproven'])
      .where('id', '=', adminEntryId)
      .where('status', '=', 'active')
      .executeTakeFirst();
    if (!entry) throw ClavigerError.invalid('/adminEntryId', 'is not the id of an entry');
    if (entry.unproven && adminEntryId !== formerAdminEntryId)
      throw ClavigerError.invalid('/adminEntryId', 'is an unproven account: verify it, or have it accepted');
    if (entry.type !== 'password' && entry.type !== 'ssh-key') {
      throw ClavigerError.invalid('/adminEntryId', 'must name an entry of type password or ssh-key');
    }
  }
  if (!moduleId) return checkResource(undefined, resource);
  const module = await reader
    .selectFrom('modules')
    .select(['type', 'config'])
    .where('id', '=', moduleId)
    .executeTakeFirst();
  if (!module) throw ClavigerError.invalid('/moduleId', 'is not the id of a module');
  checkResource({ type: module.type, config: parseModuleConfig(module.type, module.config) }, resource);
}
