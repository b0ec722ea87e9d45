import { accountKey } from '@claviger/connectors';
import { ClavigerError } from '@claviger/errors';
import type { Actor } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { VaultReader } from '../schema.ts';
import { parseModuleConfig } from '../targets/module-config.ts';
import { connectorTarget } from '../targets/resource-target.ts';
import { effectiveAccess, isAdministrator } from './effective-access.ts';

interface Owned {
  readonly owner_id: string | null;
  readonly admin_entry_id: string | null;
}

/** Whether the actor is the resource's owner, has full access to its admin entry, or administers secrets. */
export async function ownsResource(reader: VaultReader, actor: Actor, resource: Owned): Promise<boolean> {
  if (isAdministrator(actor) || resource.owner_id === actor.userId) return true;
  if (!resource.admin_entry_id) return false;
  return (await effectiveAccess(reader, actor, resource.admin_entry_id)).access === 'full';
}

/**
 * Whether the actor owns the resource, and no other owner has a resource with proven accounts of the same
 * target. Without the second condition, a user could own a target by creating another resource for its host.
 */
export async function ownsTarget(reader: VaultReader, actor: Actor, resourceId: string): Promise<boolean> {
  const resource = await reader
    .selectFrom('assets')
    .leftJoin('modules', 'modules.id', 'assets.module_id')
    .select([
      'assets.owner_id',
      'assets.admin_entry_id',
      'assets.host',
      'assets.port',
      'assets.settings',
      'modules.type',
      'modules.config',
    ])
    .where('assets.id', '=', resourceId)
    .executeTakeFirst();
  if (!resource || !(await ownsResource(reader, actor, resource))) return false;
  if (isAdministrator(actor) || !resource.type || !resource.config) return true;
  const settings = connectorTarget(parseModuleConfig(resource.type, resource.config), resource);
  // The key of the target does not depend on the account.
  const key = accountKey(resource.type, settings, 'any');
  if (!key) return true;
  const others = await reader
    .selectFrom('accounts')
    .innerJoin('entries', 'entries.account_id', 'accounts.id')
    .innerJoin('assets', 'assets.id', 'entries.asset_id')
    .select('entries.id')
    .where('accounts.target_key', '=', key.target)
    .where('entries.status', '=', 'active')
    .where('entries.unproven', '=', false)
    .where('assets.id', '<>', resourceId)
    .where('assets.owner_id', 'is distinct from', sql<string>`${actor.userId}::uuid`)
    .limit(1)
    .executeTakeFirst();
  return !others;
}

export function notResourceOwner(): ClavigerError {
  return new ClavigerError('denied', 'Only an owner of the resource may do this.', {
    code: 'not_resource_owner',
    hint: 'Ask the owner of the resource, a user with full access to its admin entry, or an administrator.',
  });
}
