import { randomUUID } from 'node:crypto';
import type { Reader, Tx } from '@claviger/database';
import type { CallContext } from '@claviger/service-kit';
import type { TenantKeys } from '../mfa/tenant-keys.ts';
import type { AuthSchema } from '../schema.ts';
import { decryptSetting, encryptSetting } from './encrypted-settings.ts';
import { type NamedKey, settingKeys } from './setting-keys.ts';
import type { ConfigValuesTable } from './settings-schema.ts';

/** A setting that was changed; `value` contains no secrets. */
export interface StoredSetting {
  readonly named: NamedKey;
  readonly row: ConfigValuesTable;
  readonly changedAt: Date;
}

/** Returns the version of a tenant's settings; 0 before the first change. */
export async function configVersion(reader: Reader<AuthSchema>): Promise<number> {
  const row = await reader
    .selectFrom('config_versions')
    .select(({ fn }) => fn.max('version').as('version'))
    .executeTakeFirst();
  return row?.version ?? 0;
}

/**
 * Returns the last change of each setting up to a version, including resets to the default. Unknown keys are
 * left out.
 */
export async function lastChanges(
  reader: Reader<AuthSchema>,
  upTo = 2_147_483_647,
): Promise<Map<string, StoredSetting>> {
  const rows = await reader
    .selectFrom('config_values')
    .innerJoin('config_versions', (join) =>
      join
        .onRef('config_versions.tenant_id', '=', 'config_values.tenant_id')
        .onRef('config_versions.version', '=', 'config_values.version'),
    )
    .selectAll('config_values')
    .select('config_versions.created_at')
    .distinctOn('config_values.key')
    .where('config_values.version', '<=', upTo)
    .orderBy('config_values.key')
    .orderBy('config_values.version', 'desc')
    .execute();
  return new Map(
    rows.flatMap(({ created_at, ...row }) => {
      const named = settingKeys.get(row.key);
      return named ? [[row.key, { named, row, changedAt: created_at }] as const] : [];
    }),
  );
}

/** Returns the settings that have a value. */
export function settingsWithValue(changes: ReadonlyMap<string, StoredSetting>): StoredSetting[] {
  return [...changes.values()].filter(({ row }) => row.value !== null);
}

/** Returns values by key name, with secrets. */
export async function decryptedValues(
  keys: TenantKeys,
  reader: Reader<AuthSchema>,
  settings: readonly StoredSetting[],
): Promise<Map<string, unknown>> {
  const decrypted = new Map<string, unknown>();
  for (const { named, row } of settings)
    decrypted.set(named.name, await decryptSetting(keys, reader, row, named));
  return decrypted;
}

/** Serialises changes to one tenant's settings. */
export async function lockConfig(tx: Tx<AuthSchema>, tenantId: string): Promise<void> {
  await tx.selectFrom('tenants').select('id').where('id', '=', tenantId).forNoKeyUpdate().execute();
}

export async function writeVersion(
  keys: TenantKeys,
  tx: Tx<AuthSchema>,
  context: CallContext,
  input: {
    version: number;
    reason: string;
    /** `after` is undefined for a reset to the default. */
    changes: readonly { named: NamedKey; after: unknown }[];
  },
): Promise<void> {
  const { tenantId, actor } = context;
  const { version, changes } = input;
  await tx
    .insertInto('config_versions')
    .values({
      tenant_id: tenantId,
      version,
      actor_id: actor.userId,
      actor_name: actor.userName,
      reason: input.reason,
      keys: changes.map(({ named }) => named.name),
    })
    .execute();
  for (const { named, after } of changes) {
    const id = randomUUID();
    const stored =
      after === undefined
        ? { value: null }
        : await encryptSetting(keys, tx, { tenantId, id, version }, named, after);
    await tx
      .insertInto('config_values')
      .values({
        kek_id: null,
        cek_id: null,
        wrapped_cek: null,
        iv: null,
        ciphertext: null,
        tag: null,
        commitment: null,
        blob_sha256: null,
        ...stored,
        tenant_id: tenantId,
        version,
        key: named.name,
        id,
      })
      .execute();
  }
}
