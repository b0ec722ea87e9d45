import type * as settings from '@claviger/contracts/auth/v1/settings';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { SettingsDeps } from './deps.ts';
import { shownValues } from './get-config.ts';
import { versionMessage } from './list-config-versions.ts';
import { settingKeys } from './setting-keys.ts';
import { lastChanges } from './settings-store.ts';

/**
 * Returns what one version changed: the values of its keys before and after, with placeholders for secrets.
 */
export function getConfigVersion(
  deps: SettingsDeps,
): Handler<typeof settings.ConfigService.getConfigVersion> {
  return async (request, context) => {
    const version = Number(request.version);
    // A malformed version was replaced by `NO_OBJECT`, which is not a number.
    if (Number.isNaN(version)) throw ClavigerError.notFound();
    return deps.database.readTenant(context.tenantId, async (reader) => {
      const row = await reader
        .selectFrom('config_versions')
        .selectAll()
        .where('version', '=', version)
        .executeTakeFirst();
      if (!row) throw ClavigerError.notFound();
      const keys = row.keys.flatMap((name) => settingKeys.get(name) ?? []);
      return {
        ...versionMessage(row),
        before: shownValues(keys, await lastChanges(reader, version - 1)),
        after: shownValues(keys, await lastChanges(reader, version)),
      };
    });
  };
}
