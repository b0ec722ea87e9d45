import { type KeyObject, sign, verify } from 'node:crypto';
import { canonicalJson, keyIdOf } from '@claviger/merkle';

const SIGNATURE_BYTES = 64;
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;

/**
 * A compact JWS (RFC 7515) with Ed25519 over these bytes. `typ` keeps a signature over one kind of thing from
 * passing as one over another.
 *
 * @throws {TypeError} when the key is not an Ed25519 private key.
 */
export function signJws(typ: string, payload: Uint8Array, privateKey: KeyObject): string {
  if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519')
    throw new TypeError('packages and attestations are signed with an Ed25519 private key');
  const header = headerText(typ, keyIdOf(privateKey));
  const input = `${header}.${Buffer.from(payload).toString('base64url')}`;
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
}

/** The same without the payload between its dots (RFC 7515, appendix F): it stands beside, as a file. */
export function signDetachedJws(typ: string, payload: Uint8Array, privateKey: KeyObject): string {
  const [header, , signature] = signJws(typ, payload, privateKey).split('.');
  return `${header}..${signature}`;
}

/**
 * Key id of a compact JWS; undefined when it is not spelled exactly as `signJws` spells it: with other header
 * members, or base64url of another form, two readers could see two things.
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

/** Whether this key made the JWS over these bytes, which may stand in it or beside it. */
export function verifyJws(typ: string, jws: string, payload: Uint8Array, publicKey: KeyObject): boolean {
  if (keyIdOfJws(typ, jws) !== keyIdOf(publicKey) || publicKey.asymmetricKeyType !== 'ed25519') return false;
  const [header, given, encoded] = jws.split('.') as [string, string, string];
  const expected = Buffer.from(payload).toString('base64url');
  if (given !== '' && given !== expected) return false;
  const signature = Buffer.from(encoded, 'base64url');
  // Decoding is lenient; one signature must not have several spellings.
  if (signature.length !== SIGNATURE_BYTES || signature.toString('base64url') !== encoded) return false;
  return verify(null, Buffer.from(`${header}.${expected}`), publicKey, signature);
}

function headerText(typ: string, keyId: string): string {
  return Buffer.from(canonicalJson({ alg: 'EdDSA', kid: keyId, typ })).toString('base64url');
}
