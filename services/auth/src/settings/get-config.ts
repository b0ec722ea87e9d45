import type * as settings from '@claviger/contracts/auth/v1/settings';
import type { Handler } from '@claviger/service-kit';
import { maskSecrets } from '@claviger/settings';
import type { SettingsDeps } from './deps.ts';
import { pendingRestarts } from './pending-restarts.ts';
import { bySection, keysInScope, type NamedKey } from './setting-keys.ts';
import { configVersion, lastChanges, type StoredSetting } from './settings-store.ts';

/** Returns every setting in the actor's scope; decrypts no secret. */
export function getConfig(deps: SettingsDeps): Handler<typeof settings.ConfigService.getConfig> {
  return async (_request, context) => {
    const keys = keysInScope(context.actor.platform);
    const { rowVersion, changes } = await deps.database.readTenant(context.tenantId, async (reader) => ({
      rowVersion: await configVersion(reader),
      changes: await lastChanges(reader),
    }));
    return {
      rowVersion,
      values: shownValues(keys, changes),
      defaults: bySection(keys.map((named) => [named, maskedDefault(named)])),
      keys: keys.map((named) => keyMessage(named, changes.get(named.name))),
      pendingRestart: await pendingRestarts(deps.database, changes),
    };
  };
}

/** Returns the set value or the default by section and member, with placeholders for secrets. */
export function shownValues(
  keys: readonly NamedKey[],
  changes: ReadonlyMap<string, StoredSetting>,
): Record<string, Record<string, unknown>> {
  return bySection(
    keys.map((named) => [named, changes.get(named.name)?.row.value ?? maskedDefault(named)] as const),
  );
}

export const maskedDefault = ({ key }: NamedKey): unknown => maskSecrets(key, key.default).masked;

function keyMessage(named: NamedKey, stored: StoredSetting | undefined): settings.ConfigKey {
  const { key } = named;
  return {
    key: named.name,
    scope: key.scope,
    source: (stored?.row.value ?? null) === null ? 'default' : 'set',
    description: key.description,
    unit: key.unit ?? '',
    secret: key.secret !== undefined,
    restartRequired: (key.restart ?? []).length > 0,
    changedAt: stored?.changedAt.toISOString(),
  };
}
