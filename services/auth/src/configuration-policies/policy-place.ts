import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { lockGroup } from '../device-groups/device-groups-store.ts';
import { lockDevice } from '../devices/devices-store.ts';
import type { AuthSchema, ConfigurationScope } from '../schema.ts';
import { currentSites, requireEverySite, requireSite } from '../sites/actor-sites.ts';
import { lockSite } from '../sites/sites-store.ts';
import { SINGLE_SCOPE_ID } from './policies-store.ts';

/** Identifies the policy of one level. */
export interface PolicyPlace {
  readonly feature: 'pam';
  readonly scope: ConfigurationScope;
  readonly site_id: string | null;
  readonly group_id: string | null;
  readonly device_id: string | null;
}

const NO_PLACE = { feature: 'pam', site_id: null, group_id: null, device_id: null } as const;

/**
 * Resolves the policy that a path names and locks its site, group or device until the transaction ends.
 * Throws `not_found`, `site_denied` beyond the actor's sites, and `platform_only` for the partner level,
 * which applies to every tenant.
 */
export async function lockPlace(
  tx: Tx<AuthSchema>,
  context: CallContext,
  path: { readonly feature: string; readonly scope: string; readonly scopeId: string },
): Promise<PolicyPlace> {
  if (path.feature !== 'pam') throw ClavigerError.notFound();
  const sites = await currentSites(tx, context);
  const isSingle = path.scope === 'partner' || path.scope === 'organization';
  if (isSingle !== (path.scopeId === SINGLE_SCOPE_ID)) throw ClavigerError.notFound();
  switch (path.scope) {
    case 'partner':
    case 'organization':
      if (path.scope === 'partner' && !context.actor.platform) throw platformOnly();
      requireEverySite(sites);
      return { ...NO_PLACE, scope: path.scope };
    case 'site': {
      const siteId = path.scopeId;
      await lockSite(tx, siteId, 'change');
      requireSite(sites, siteId);
      return { ...NO_PLACE, scope: 'site', site_id: siteId };
    }
    case 'group': {
      const groupId = path.scopeId;
      await lockGroup(tx, groupId, sites);
      return { ...NO_PLACE, scope: 'group', group_id: groupId };
    }
    case 'device': {
      const device = await lockDevice(tx, path.scopeId);
      requireSite(sites, device.siteId);
      return { ...NO_PLACE, scope: 'device', device_id: device.id };
    }
    default:
      throw ClavigerError.notFound();
  }
}

const platformOnly = (): ClavigerError =>
  new ClavigerError('denied', 'This policy applies to the whole installation, not to one tenant.', {
    code: 'platform_only',
    hint: 'Set it for your organization: that level overrides the partner level.',
  });
