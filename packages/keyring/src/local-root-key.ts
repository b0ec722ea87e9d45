import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { KEY_BYTES, unwrapBytes, wrapBytes } from './aes-gcm.ts';
import { IntegrityError } from './integrity-error.ts';
import { RootKeyError } from './root-key-provider.ts';

/** A root key in this process. */
export interface LocalRootKey {
  /** 16 hex digits. */
  readonly check: string;
  wrap(bytes: Uint8Array, aad: Uint8Array): Buffer;
  /** @throws {IntegrityError} `root_refused`. */
  unwrap(wrapped: Uint8Array, aad: Uint8Array): Buffer;
  /** Drops the key; the engine frees the memory of a KeyObject when it collects it. */
  close(): void;
}

/** Takes ownership of the 32 bytes and wipes them. */
export function localRootKey(bytes: Buffer): LocalRootKey {
  let key: KeyObject | undefined;
  try {
    if (bytes.length !== KEY_BYTES) throw new TypeError(`a root key has ${KEY_BYTES} bytes`);
    key = createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
  const check = keyCheckOf(key);
  const open = (): KeyObject => {
    if (key === undefined) throw new RootKeyError('closed', 'The root key was dropped from memory.');
    return key;
  };
  return {
    check,
    wrap: (plain, aad) => wrapBytes(open(), plain, aad),
    unwrap: (wrapped, aad) => {
      const plain = unwrapBytes(open(), Buffer.from(wrapped), aad);
      if (plain === undefined) throw new IntegrityError('root_refused');
      return plain;
    },
    close: () => {
      key = undefined;
    },
  };
}

/** The fingerprint of a root key: 16 hex digits. */
export function keyCheckOf(key: KeyObject | Uint8Array): string {
  return createHmac('sha256', key).update('claviger/root-key-check/v1').digest('hex').slice(0, 16);
}
