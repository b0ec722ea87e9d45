import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** What a signature adds to the object it signs. */
export type Signature = {
  /** `keyIdOf` the signer's public key. */
  readonly keyId: string;
  /** Ed25519, 64 bytes in base64url without padding. */
  readonly signature: string;
};

/** Public keys by their key id, or just the keys. */
export type PublicKeys = ReadonlyMap<string, KeyObject> | readonly KeyObject[];

const keyIds = new WeakMap<KeyObject, string>();

/**
 * Returns the id of a key: the first 16 hex digits of SHA-256 over its SubjectPublicKeyInfo DER. Accepts
 * either key of the pair.
 */
export function keyIdOf(key: KeyObject): string {
  let id = keyIds.get(key);
  if (id === undefined) {
    const publicKey = key.type === 'private' ? createPublicKey(key) : key;
    id = hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'hex').slice(0, 16);
    keyIds.set(key, id);
  }
  return id;
}

/**
 * Signs `domain`, a line feed and the canonical JSON of the content. The domain prevents that a signature
 * over one kind of object is accepted for another.
 *
 * @throws {TypeError} if the key is not an Ed25519 private key.
 */
export function signCanonical(domain: string, content: object, privateKey: KeyObject): Signature {
  if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519')
    throw new TypeError('tree heads and receipts are signed with an Ed25519 private key');
  const signature = sign(null, signedBytes(domain, content), privateKey).toString('base64url');
  return { keyId: keyIdOf(privateKey), signature };
}

/**
 * Whether one of these keys made the signature. Returns false for an unknown key or a malformed signature.
 */
export function verifyCanonical(domain: string, content: object, by: Signature, keys: PublicKeys): boolean {
  const key = findKey(keys, by.keyId);
  const signature = Buffer.from(by.signature, 'base64url');
  // Decoding is lenient, but a signature must have only one encoding.
  if (key === undefined || signature.length !== 64 || signature.toString('base64url') !== by.signature)
    return false;
  return verify(null, signedBytes(domain, content), key, signature);
}

/** Finds the Ed25519 key with this id. The id is computed from the key; labels of a map are ignored. */
export function findKey(keys: PublicKeys, keyId: string): KeyObject | undefined {
  const candidates = keys instanceof Map ? keys.values() : (keys as readonly KeyObject[]);
  for (const key of candidates) if (key.asymmetricKeyType === 'ed25519' && keyIdOf(key) === keyId) return key;
  return undefined;
}

function signedBytes(domain: string, content: object): Buffer {
  return Buffer.from(`${domain}\n${canonicalJson(content)}`, 'utf8');
}
