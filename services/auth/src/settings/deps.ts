import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { SettingsSource } from '@claviger/settings';
import type { TenantKeys } from '../mfa/tenant-keys.ts';
import type { AuthSchema } from '../schema.ts';

/** Dependencies of the operations and duties in this folder. */
export interface SettingsDeps {
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  readonly tenantKeys: TenantKeys;
  /** Source of the settings that other services read. */
  readonly settingsSource: SettingsSource;
}
