/** Whether the provider can unwrap now. `problem` says what is wrong and what to do, without key bytes. */
export type RootKeyHealth = { readonly ok: true } | { readonly ok: false; readonly problem: string };

export type RootKeyKind = 'file' | 'kubernetes-secret' | 'pkcs11' | 'aws-kms' | 'shamir';

/**
 * Holds the root key or gives access to it. All methods are asynchronous, so that the key can stay in a
 * device or a cloud. `aad` must be the same for wrapping and unwrapping.
 */
export interface RootKeyProvider {
  readonly kind: RootKeyKind;
  /**
   * The key reference: kind of provider and identity of the root key, including its version. It is stored
   * with wrapped data, is stable across restarts, and differs for another root key. Safe to log.
   */
  readonly id: string;
  wrap(bytes: Uint8Array, aad: Uint8Array): Promise<Buffer>;
  /**
   * @throws {IntegrityError} `root_refused` for another root key, changed bytes or another AAD.
   * @throws {RootKeyError} when the root key is unreachable, which says nothing about the data.
   */
  unwrap(wrapped: Uint8Array, aad: Uint8Array): Promise<Buffer>;
  /** A fingerprint that distinguishes root keys and reveals nothing about them: 16 hex digits. */
  keyCheck(): Promise<string>;
  /** Checks the file, device or service. Never throws for an outage. */
  health(): Promise<RootKeyHealth>;
  /** Drops the key, or closes the session of its device. Later calls fail. Idempotent. */
  close(): void;
}

export type RootKeyErrorCode =
  | 'missing'
  | 'exists'
  | 'unreadable'
  | 'not_a_file'
  | 'permissions'
  | 'owner'
  | 'wrong_length'
  | 'weak'
  /** The device or service refused access. */
  | 'refused'
  /** The device or service does not answer, or is temporarily unavailable. */
  | 'unreachable'
  /** The provider was closed because the service was sealed. */
  | 'closed';

/** The root key is not available. The message names the fix and never contains key bytes. */
export class RootKeyError extends Error {
  override readonly name = 'RootKeyError';
  readonly code: RootKeyErrorCode;
  constructor(code: RootKeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
