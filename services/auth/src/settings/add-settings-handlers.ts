import * as settings from '@claviger/contracts/auth/v1/settings';
import type { RpcServer } from '@claviger/service-kit';
import type { SettingsSource } from '@claviger/settings';
import type { AuthDeps } from '../deps.ts';
import { getConfig } from './get-config.ts';
import { getConfigVersion } from './get-config-version.ts';
import { listConfigVersions } from './list-config-versions.ts';
import { readSettings } from './read-settings.ts';
import { updateConfig } from './update-config.ts';

export function addSettingsHandlers(server: RpcServer, deps: AuthDeps, source: SettingsSource): void {
  server.add(settings.ConfigService, {
    getConfig: getConfig(deps),
    updateConfig: updateConfig(deps),
    listConfigVersions: listConfigVersions(deps),
    getConfigVersion: getConfigVersion(deps),
  });
  server.add(settings.SettingsService, { readSettings: readSettings(source) });
}
