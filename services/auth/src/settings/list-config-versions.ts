import type * as settings from '@claviger/contracts/auth/v1/settings';
import { pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { SettingsDeps } from './deps.ts';

const SORT: SortFields = { version: { column: 'config_versions.version', type: 'int8' } };

/** Lists who changed settings, when and why. */
export function listConfigVersions(
  deps: SettingsDeps,
): Handler<typeof settings.ConfigService.listConfigVersions> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) => {
      const query = reader.selectFrom('config_versions').selectAll('config_versions');
      return pageOf({
        request,
        query,
        sort: SORT,
        defaultSort: 'version',
        defaultOrder: 'desc',
        tieBreaker: { column: 'config_versions.version', type: 'int8' },
        map: versionMessage,
      });
    });
}

export interface VersionRow {
  readonly version: number;
  readonly actor_id: string;
  readonly actor_name: string;
  readonly reason: string;
  readonly keys: string[];
  readonly created_at: Date;
}

export const versionMessage = (row: VersionRow): settings.ConfigVersion => ({
  version: row.version,
  changedAt: row.created_at.toISOString(),
  changedById: row.actor_id,
  changedBy: row.actor_name,
  reason: row.reason,
  keys: row.keys,
});
