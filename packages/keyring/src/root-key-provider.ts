/** Whether the provider could unwrap now. `problem` says what is wrong and what to do, without key bytes. */
export type RootKeyHealth = { readonly ok: true } | { readonly ok: false; readonly problem: string };

/**
 * Holds the root key, or the only way to it. Asynchronous throughout, so that a key that never leaves a device or a
 * cloud fits behind it. `aad` must be given back for unwrapping exactly as it was given for wrapping.
 */
export interface RootKeyProvider {
  /** Names the kind of provider and the root key itself; stored beside what it wrapped. Safe to log. */
  readonly id: string;
  wrap(bytes: Uint8Array, aad: Uint8Array): Promise<Buffer>;
  /**
   * @throws {IntegrityError} `root_refused` for another root key, changed bytes or another aad.
   * @throws {RootKeyError} or the provider's own error when the root key cannot be reached: an outage, not a verdict.
   */
  unwrap(wrapped: Uint8Array, aad: Uint8Array): Promise<Buffer>;
  /** A fingerprint that tells two root keys apart and reveals nothing about either: 16 hex digits. */
  keyCheck(): Promise<string>;
  health(): Promise<RootKeyHealth>;
}

export type RootKeyErrorCode =
  | 'missing'
  | 'exists'
  | 'unreadable'
  | 'not_a_file'
  | 'permissions'
  | 'owner'
  | 'wrong_length'
  | 'weak';

/** The root key cannot be had. The message names the fix; it never contains key bytes. */
export class RootKeyError extends Error {
  override readonly name = 'RootKeyError';
  readonly code: RootKeyErrorCode;
  constructor(code: RootKeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
