import { settings } from '@claviger/contracts';
import type { RpcServer } from '@claviger/service-kit';
import type { SettingsSource } from '@claviger/settings';
import type { AuthDeps } from '../deps.ts';
import { getConfig } from './get-config.ts';
import { getConfigVersion } from './get-config-version.ts';
import { listConfigVersions } from './list-config-versions.ts';
import { readSettings } from './read-settings.ts';
import { updateConfig } from './update-config.ts';

export function addSettingsHandlers(server: RpcServer, deps: AuthDeps, source: SettingsSource): void {
  server.add(settings.ConfigServiceService, {
    getConfig: getConfig(deps),
    updateConfig: updateConfig(deps),
    listConfigVersions: listConfigVersions(deps),
    getConfigVersion: getConfigVersion(deps),
  });
  server.add(settings.SettingsServiceService, { readSettings: readSettings(source) });
}
