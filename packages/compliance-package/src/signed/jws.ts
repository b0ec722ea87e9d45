import { type KeyObject, sign, verify } from 'node:crypto';
import { canonicalJson, keyIdOf } from '@claviger/merkle';

const SIGNATURE_BYTES = 64;
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;

/**
 * Creates a compact JWS (RFC 7515) with Ed25519 over these bytes. `typ` prevents that a signature over one
 * kind of object is accepted for another.
 *
 * @throws {TypeError} if the key is not an Ed25519 private key.
 */
export function signJws(typ: string, payload: Uint8Array, privateKey: KeyObject): string {
  if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519')
    throw new TypeError('packages and attestations are signed with an Ed25519 private key');
  const header = headerText(typ, keyIdOf(privateKey));
  const input = `${header}.${Buffer.from(payload).toString('base64url')}`;
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
}

/** Creates a detached JWS (RFC 7515, appendix F): the payload is a separate file. */
export function signDetachedJws(typ: string, payload: Uint8Array, privateKey: KeyObject): string {
  const [header, , signature] = signJws(typ, payload, privateKey).split('.');
  return `${header}..${signature}`;
}

/**
 * Returns the key id of a compact JWS; undefined unless it has exactly the form that `signJws` writes. With
 * other header members or base64url forms, two parsers could see different things.
 */
export function keyIdOfJws(typ: string, jws: string): string | undefined {
  const parts = jws.split('.');
  if (parts.length !== 3 || !SIGNATURE.test(parts[2]!)) return undefined;
  let keyId: unknown;
  try {
    keyId = (JSON.parse(Buffer.from(parts[0]!, 'base64url').toString('utf8')) as { kid?: unknown }).kid;
  } catch {
    return undefined;
  }
  if (typeof keyId !== 'string' || !/^[0-9a-f]{16}$/.test(keyId)) return undefined;
  return headerText(typ, keyId) === parts[0] ? keyId : undefined;
}

/** Whether this key signed these bytes; the payload may be inside the JWS or detached. */
export function verifyJws(typ: string, jws: string, payload: Uint8Array, publicKey: KeyObject): boolean {
  if (keyIdOfJws(typ, jws) !== keyIdOf(publicKey) || publicKey.asymmetricKeyType !== 'ed25519') return false;
  const [header, given, encoded] = jws.split('.') as [string, string, string];
  const expected = Buffer.from(payload).toString('base64url');
  if (given !== '' && given !== expected) return false;
  const signature = Buffer.from(encoded, 'base64url');
  // Decoding is lenient, but a signature must have only one encoding.
  if (signature.length !== SIGNATURE_BYTES || signature.toString('base64url') !== encoded) return false;
  return verify(null, Buffer.from(`${header}.${expected}`), publicKey, signature);
}

function headerText(typ: string, keyId: string): string {
  return Buffer.from(canonicalJson({ alg: 'EdDSA', kid: keyId, typ })).toString('base64url');
}
