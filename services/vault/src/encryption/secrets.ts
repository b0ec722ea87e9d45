import { ClavigerError } from '@claviger/errors';
import { decryptSecret, encryptSecret, IntegrityError, type Kek } from '@claviger/keyring';
import type { Logger } from '@claviger/service-kit';
import type { Insertable, Selectable } from 'kysely';
import type { VaultSchema, VersionState } from '../schema.ts';
import type { TenantKeys } from './tenant-keys.ts';

/** The columns that are needed to decrypt a version. */
export type EncryptedVersion = Pick<
  Selectable<VaultSchema['entry_versions']>,
  | 'tenant_id'
  | 'entry_id'
  | 'version'
  | 'purpose'
  | 'kek_id'
  | 'cek_id'
  | 'wrapped_cek'
  | 'iv'
  | 'ciphertext'
  | 'tag'
  | 'commitment'
  | 'blob_sha256'
>;

export const ENCRYPTED_COLUMNS = [
  'entry_versions.tenant_id',
  'entry_versions.entry_id',
  'entry_versions.version',
  'entry_versions.purpose',
  'entry_versions.kek_id',
  'entry_versions.cek_id',
  'entry_versions.wrapped_cek',
  'entry_versions.iv',
  'entry_versions.ciphertext',
  'entry_versions.tag',
  'entry_versions.commitment',
  'entry_versions.blob_sha256',
] as const;

export interface VersionIds {
  readonly tenantId: string;
  readonly entryId: string;
  readonly version: number;
  /** The entry's type. */
  readonly purpose: string;
}

export interface Secrets {
  /**
   * The KEK for `encrypt`. Load it before a transaction: a transaction must not wait for another connection.
   */
  keyFor(tenantId: string): Promise<Kek>;
  /** Returns the row of a new version. Synchronous, so that a transaction can call it. */
  encrypt(
    kek: Kek,
    secret: string,
    ids: VersionIds,
    state: VersionState,
    createdBy: string,
  ): Insertable<VaultSchema['entry_versions']>;
  /**
   * Decrypts a version. Call it for a disclosure only after the audit record is committed. Throws
   * `integrity_error` when a stored byte was changed.
   */
  decrypt(version: EncryptedVersion): Promise<string>;
  /** Throws `sealed` while the root key is missing. */
  requireOpen(): void;
  /** Number of decrypted secrets since the start. */
  readonly decryptions: number;
}

export function createSecrets(keys: TenantKeys, requireOpen: () => void, logger: Logger): Secrets {
  let decryptions = 0;
  return {
    requireOpen,
    get decryptions() {
      return decryptions;
    },
    keyFor: async (tenantId) => {
      try {
        return await keys.active(tenantId);
      } catch (error) {
        throw integrityError(error, logger, { tenantId });
      }
    },
    encrypt: (kek, secret, ids, state, createdBy) => {
      const plaintext = Buffer.from(secret, 'utf8');
      try {
        const encrypted = encryptSecret(kek, plaintext, { ...ids, kekId: kek.kekId });
        return {
          tenant_id: ids.tenantId,
          entry_id: ids.entryId,
          version: ids.version,
          state,
          purpose: ids.purpose,
          kek_id: kek.kekId,
          cek_id: encrypted.dekId,
          wrapped_cek: encrypted.wrappedDek,
          iv: encrypted.iv,
          ciphertext: encrypted.ciphertext,
          tag: encrypted.tag,
          commitment: encrypted.commitment,
          blob_sha256: encrypted.blobSha256,
          created_by: createdBy,
        };
      } finally {
        plaintext.fill(0);
      }
    },
    decrypt: async (row) => {
      try {
        const kek = await keys.named(row.tenant_id, row.kek_id);
        const plaintext = decryptSecret(
          kek,
          {
            dekId: row.cek_id,
            wrappedDek: row.wrapped_cek,
            iv: row.iv,
            ciphertext: row.ciphertext,
            tag: row.tag,
            commitment: row.commitment,
            blobSha256: row.blob_sha256,
          },
          {
            tenantId: row.tenant_id,
            entryId: row.entry_id,
            version: row.version,
            purpose: row.purpose,
            kekId: row.kek_id,
          },
        );
        decryptions += 1;
        const secret = plaintext.toString('utf8');
        plaintext.fill(0);
        return secret;
      } catch (error) {
        throw integrityError(error, logger, { entryId: row.entry_id, version: row.version });
      }
    },
  };
}

function integrityError(error: unknown, logger: Logger, where: object): unknown {
  if (!(error instanceof IntegrityError)) return error;
  logger.error(
    { err: error, ...where, alert: 'integrity' },
    'stored key material failed its integrity check',
  );
  return new ClavigerError('integrity_error', 'The stored secret failed its integrity check.', {
    cause: error,
    hint: 'An operator restores the row from a backup. Other entries are not affected.',
  });
}
