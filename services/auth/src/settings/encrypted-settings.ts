import type { Reader, Tx } from '@claviger/database';
import { decryptSecret, encryptSecret } from '@claviger/keyring';
import { maskSecrets, revealSecrets } from '@claviger/settings';
import type { TenantKeys } from '../mfa/tenant-keys.ts';
import type { AuthSchema } from '../schema.ts';
import type { NamedKey } from './setting-keys.ts';
import type { ConfigValuesTable } from './settings-schema.ts';

const PURPOSE = 'setting';

type EncryptedColumns = Pick<
  ConfigValuesTable,
  'kek_id' | 'cek_id' | 'wrapped_cek' | 'iv' | 'ciphertext' | 'tag' | 'commitment' | 'blob_sha256'
>;

const NO_ENCRYPTED_COLUMNS: EncryptedColumns = {
  kek_id: null,
  cek_id: null,
  wrapped_cek: null,
  iv: null,
  ciphertext: null,
  tag: null,
  commitment: null,
  blob_sha256: null,
};

/**
 * Returns the columns of a value: secrets encrypted under the tenant's KEK and replaced by placeholders in
 * `value`.
 */
export async function encryptSetting(
  keys: TenantKeys,
  tx: Tx<AuthSchema>,
  row: { tenantId: string; id: string; version: number },
  named: NamedKey,
  value: unknown,
): Promise<EncryptedColumns & { value: string }> {
  const { masked, secrets } = maskSecrets(named.key, value);
  const text = JSON.stringify(masked);
  if (Object.keys(secrets).length === 0) return { ...NO_ENCRYPTED_COLUMNS, value: text };
  const kek = await keys.current(tx, row.tenantId);
  const plaintext = Buffer.from(JSON.stringify(secrets));
  try {
    const encrypted = encryptSecret(kek, plaintext, idsOf(row, kek.kekId));
    return {
      value: text,
      kek_id: kek.kekId,
      cek_id: encrypted.dekId,
      wrapped_cek: encrypted.wrappedDek,
      iv: encrypted.iv,
      ciphertext: encrypted.ciphertext,
      tag: encrypted.tag,
      commitment: encrypted.commitment,
      blob_sha256: encrypted.blobSha256,
    };
  } finally {
    plaintext.fill(0);
  }
}

/**
 * Returns the value with its secrets. Throws `sealed` without the root key, and IntegrityError for a modified
 * row.
 */
export async function decryptSetting(
  keys: TenantKeys,
  reader: Reader<AuthSchema>,
  row: ConfigValuesTable,
  named: NamedKey,
): Promise<unknown> {
  if (row.kek_id === null) return row.value;
  const kek = await keys.byId(reader, row.tenant_id, row.kek_id);
  const plaintext = decryptSecret(
    kek,
    {
      dekId: row.cek_id!,
      wrappedDek: row.wrapped_cek!,
      iv: row.iv!,
      ciphertext: row.ciphertext!,
      tag: row.tag!,
      commitment: row.commitment!,
      blobSha256: row.blob_sha256!,
    },
    idsOf({ tenantId: row.tenant_id, id: row.id, version: row.version }, row.kek_id),
  );
  try {
    const secrets = JSON.parse(plaintext.toString('utf8')) as Record<string, string>;
    return revealSecrets(named.key, row.value, secrets);
  } finally {
    plaintext.fill(0);
  }
}

const idsOf = (row: { tenantId: string; id: string; version: number }, kekId: string) => ({
  tenantId: row.tenantId,
  entryId: row.id,
  version: row.version,
  purpose: PURPOSE,
  kekId,
});
