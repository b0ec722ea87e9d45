/** Whether the provider could unwrap now. `problem` says what is wrong and what to do, without key bytes. */
export type RootKeyHealth = { readonly ok: true } | { readonly ok: false; readonly problem: string };

export type RootKeyKind = 'file' | 'kubernetes-secret' | 'pkcs11' | 'aws-kms' | 'shamir';

/**
 * Holds the root key, or the only way to it. Asynchronous throughout, so that a key that never leaves a device or a
 * cloud fits behind it. `aad` must be given back for unwrapping exactly as it was given for wrapping.
 */
export interface RootKeyProvider {
  readonly kind: RootKeyKind;
  /**
   * The key reference: names the kind of provider and the root key itself, its version included. Stored beside what it
   * wrapped. The same after each restart; another one for another root key. Safe to log.
   */
  readonly id: string;
  wrap(bytes: Uint8Array, aad: Uint8Array): Promise<Buffer>;
  /**
   * @throws {IntegrityError} `root_refused` for another root key, changed bytes or another aad.
   * @throws {RootKeyError} when the root key cannot be reached: an outage, not a verdict.
   */
  unwrap(wrapped: Uint8Array, aad: Uint8Array): Promise<Buffer>;
  /** A fingerprint that tells two root keys apart and reveals nothing about either: 16 hex digits. */
  keyCheck(): Promise<string>;
  /** Asks the file, device or service itself. Never throws for an outage. */
  health(): Promise<RootKeyHealth>;
  /** Forgets the key, or the session at the device that has it. Whatever is asked afterwards fails. Idempotent. */
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
  /** The device or service knows us, and says no. */
  | 'refused'
  /** The device or service does not answer, or says that it cannot now. */
  | 'unreachable'
  /** The provider was closed: the service was sealed. */
  | 'closed';

/** The root key cannot be had. The message names the fix; it never contains key bytes. */
export class RootKeyError extends Error {
  override readonly name = 'RootKeyError';
  readonly code: RootKeyErrorCode;
  constructor(code: RootKeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
