/**
 * Why stored key material or a stored secret cannot be decrypted.
 * - `malformed`: a field has a length or format that is never written.
 * - `wrong_kek`: the record names another KEK or tenant than the given one.
 * - `blob_changed`: IV, ciphertext, tag or commitment were changed.
 * - `cek_refused`: the wrapped DEK or an id in its AAD was changed, or the KEK is another one.
 * - `commitment_mismatch`: the blob was encrypted under another DEK, or an id was changed.
 * - `ciphertext_refused`: AES-GCM refused the blob although the commitment is right.
 * - `root_refused`: another root key, or changed bytes or ids.
 */
export type IntegrityReason =
  | 'malformed'
  | 'wrong_kek'
  | 'blob_changed'
  | 'cek_refused'
  | 'commitment_mismatch'
  | 'ciphertext_refused'
  | 'root_refused';

const MESSAGES: Readonly<Record<IntegrityReason, string>> = {
  malformed: 'a stored field has an invalid format: restore the row from a backup',
  wrong_kek: 'the record belongs to another key-encryption key: decrypt it with the one it names',
  blob_changed: 'the stored blob was changed: restore the row from a backup',
  cek_refused:
    'the wrapped data key, or an id to which it is bound, was changed: restore the row from a backup',
  commitment_mismatch: 'the blob does not belong to its data key: restore the row from a backup',
  ciphertext_refused: 'the stored blob was changed: restore the row from a backup',
  root_refused: 'the root key cannot unwrap this: provide the root key that wrapped it',
};

/**
 * Stored data was changed. Raise an alarm; never treat the data as absent. Contains a reason and none of the
 * data: no plaintext, key or cause.
 */
export class IntegrityError extends Error {
  override readonly name = 'IntegrityError';
  readonly reason: IntegrityReason;
  constructor(reason: IntegrityReason) {
    super(MESSAGES[reason]);
    this.reason = reason;
  }
}
