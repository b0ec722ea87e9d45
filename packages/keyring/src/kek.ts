import { createSecretKey, type KeyObject, randomFillSync } from 'node:crypto';
import { KEY_BYTES } from './aes-gcm.ts';
import { IntegrityError } from './integrity-error.ts';
import { lengthPrefixed, requireId, versionText } from './length-prefixed.ts';
import type { RootKeyProvider } from './root-key-provider.ts';

/**
 * Identifies a key-encryption key. `kekId` is unique; `version` counts the KEKs of a tenant. Neither ever
 * changes.
 */
export type KekIds = { readonly tenantId: string; readonly kekId: string; readonly version: number };

/**
 * DEKs that one KEK may wrap before it is rotated: 2^28, sixteen times below the limit for random IVs (2^32,
 * NIST SP 800-38D 8.3). The caller counts.
 */
export const MAX_WRAPS_PER_KEK = 2 ** 28;

/** The KEK was dropped from memory, e.g. by sealing. Open it again. */
export class KekDisposedError extends Error {
  override readonly name = 'KekDisposedError';
  constructor(kekId: string) {
    super(`key-encryption key ${kekId} is no longer in memory: open it again`);
  }
}

/** A KEK in memory. Prints and serialises as its ids only. */
export class Kek {
  readonly tenantId: string;
  readonly kekId: string;
  readonly version: number;
  #key: KeyObject | undefined;

  /** Takes ownership of the bytes and wipes them. */
  constructor({ tenantId, kekId, version }: KekIds, bytes: Buffer) {
    try {
      if (bytes.length !== KEY_BYTES) throw new IntegrityError('malformed');
      this.tenantId = tenantId;
      this.kekId = kekId;
      this.version = version;
      this.#key = createSecretKey(bytes);
    } finally {
      bytes.fill(0);
    }
  }

  /** @throws {KekDisposedError} after `dispose`. */
  key(): KeyObject {
    if (this.#key === undefined) throw new KekDisposedError(this.kekId);
    return this.#key;
  }

  /** Drops the key. Idempotent. The engine frees the memory of a KeyObject when it collects it. */
  dispose(): void {
    this.#key = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Creates a KEK and returns it wrapped by the root key, ready to be stored. */
export async function createKek(provider: RootKeyProvider, ids: KekIds): Promise<Buffer> {
  const aad = kekAad(ids);
  const bytes = randomFillSync(Buffer.allocUnsafeSlow(KEY_BYTES));
  try {
    return await provider.wrap(bytes, aad);
  } finally {
    bytes.fill(0);
  }
}

/**
 * Unwraps a stored KEK.
 *
 * @throws {IntegrityError} `root_refused` when root key, bytes or ids differ from those at its creation.
 * @throws what the provider throws when it is unreachable.
 */
export async function openKek(provider: RootKeyProvider, wrappedKek: Uint8Array, ids: KekIds): Promise<Kek> {
  return new Kek(ids, await provider.unwrap(wrappedKek, kekAad(ids)));
}

/** Wraps a KEK by another root key, for a change of the root key. DEKs stay unchanged. */
export async function rewrapKek(
  from: RootKeyProvider,
  to: RootKeyProvider,
  wrappedKek: Uint8Array,
  ids: KekIds,
): Promise<Buffer> {
  const aad = kekAad(ids);
  const bytes = await from.unwrap(wrappedKek, aad);
  try {
    return await to.wrap(bytes, aad);
  } finally {
    bytes.fill(0);
  }
}

function kekAad({ tenantId, kekId, version }: KekIds): Buffer {
  return lengthPrefixed([
    'claviger/kek/v1',
    requireId(tenantId, 'tenantId'),
    requireId(kekId, 'kekId'),
    versionText(version),
  ]);
}
