/**
 * Why stored key material or a stored secret could not be opened.
 * - `malformed`: a field has a length or form that we never write.
 * - `wrong_kek`: the record names another KEK or tenant than the one it was to be opened with.
 * - `blob_changed`: iv, ciphertext, tag or commitment are not those that were stored.
 * - `cek_refused`: the wrapped CEK, or an id that it is bound to, was changed; or the KEK is another one.
 * - `commitment_mismatch`: the CEK is not the one that the blob was sealed with, or an id was changed.
 * - `ciphertext_refused`: AES-GCM refused the blob although the commitment held.
 * - `root_refused`: the root key refused what it wrapped: another root key, or changed bytes or ids.
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
  malformed: 'a stored field has a form that is never written: restore the row from a backup',
  wrong_kek: 'the record belongs to another key encryption key: open it with the one it names',
  blob_changed: 'the stored blob was changed: restore the row from a backup',
  cek_refused:
    'the wrapped content key, or an id that it is bound to, was changed: restore the row from a backup',
  commitment_mismatch: 'the blob does not belong to its content key: restore the row from a backup',
  ciphertext_refused: 'the stored blob was changed: restore the row from a backup',
  root_refused: 'the root key cannot open this: provide the root key that it was wrapped with',
};

/**
 * Something stored is not what was sealed. Raise an alarm; never go on with it as if it were merely absent.
 * Carries a reason and nothing that was read: no plaintext, no key, no cause.
 */
export class IntegrityError extends Error {
  override readonly name = 'IntegrityError';
  readonly reason: IntegrityReason;
  constructor(reason: IntegrityReason) {
    super(MESSAGES[reason]);
    this.reason = reason;
  }
}
