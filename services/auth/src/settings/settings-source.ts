import type { Database } from '@claviger/database';
import { type ReadSettings, type SectionName, type SettingsSource, sections } from '@claviger/settings';
import type { TenantKeys } from '../mfa/tenant-keys.ts';
import type { AuthSchema } from '../schema.ts';
import { bySection, type NamedKey } from './setting-keys.ts';
import { configVersion, decryptedValues, lastChanges, settingsWithValue } from './settings-store.ts';

/**
 * Reads sections for a tenant: its own values and those of the platform, with secrets and without defaults.
 * The version combines both. Without a tenant it reads the platform's values only. Only secrets of requested
 * sections are decrypted.
 */
export function settingsSource(database: Database<AuthSchema>, tenantKeys: TenantKeys): SettingsSource {
  let platformId: string | undefined;
  const platform = async (): Promise<string | undefined> => {
    platformId ??= (
      await database.system((tx) =>
        tx.selectFrom('tenants').select('id').where('platform', '=', true).executeTakeFirst(),
      )
    )?.id;
    return platformId;
  };
  const read = (
    tenantId: string,
    scope: NamedKey['key']['scope'],
    names: ReadonlySet<SectionName>,
  ): Promise<[NamedKey, unknown][]> =>
    database.readTenant(tenantId, async (reader) => {
      const wanted = settingsWithValue(await lastChanges(reader)).filter(
        ({ named }) => named.key.scope === scope && names.has(named.section),
      );
      const decrypted = await decryptedValues(tenantKeys, reader, wanted);
      return wanted.map(({ named }) => [named, decrypted.get(named.name)]);
    });
  return async ({ tenantId, sections: asked, knownVersion }): Promise<ReadSettings> => {
    const names = new Set(asked.filter((name) => Object.hasOwn(sections, name)));
    const platformTenant = await platform();
    // Read the versions before the values: the next read then finds a newer version if a setting changes
    // between the two.
    const version = [
      tenantId ? await database.readTenant(tenantId, configVersion) : 0,
      platformTenant ? await database.readTenant(platformTenant, configVersion) : 0,
    ].join('.');
    if (version === knownVersion) return { version, values: undefined };
    const own = tenantId ? await read(tenantId, 'tenant', names) : [];
    const shared = platformTenant ? await read(platformTenant, 'platform', names) : [];
    return { version, values: bySection([...own, ...shared]) };
  };
}
