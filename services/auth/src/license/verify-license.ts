import { createPublicKey } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import { compactVerify, decodeProtectedHeader, errors } from 'jose';
import { z } from 'zod';

export interface LicenseKey {
  readonly id: string;
  /** The `x` of an Ed25519 JWK. */
  readonly publicKey: string;
}

const MAX_BYTES = 8 * 1024;
const TYPE = 'claviger-licence+jwt';
/** Allowed difference between the clocks of vendor and installation. */
const SKEW_SECONDS = 300;

const seconds = z.int().min(0).max(253_402_300_799);
const count = z.int().min(0).max(2_147_483_647).optional();

const claims = z.strictObject({
  /** License id. */
  jti: z.string().min(1).max(64),
  owner: z.string().min(1).max(200),
  /** The installation it is issued for; any if absent. */
  installation: z.uuid().optional(),
  iat: seconds,
  nbf: seconds.optional(),
  exp: seconds.optional(),
  supportUntil: seconds.optional(),
  limits: z.strictObject({ users: count, resources: count, tenants: count }).default({}),
  /** Whether exceeding a limit is refused; otherwise it is only reported. */
  enforce: z.boolean().default(false),
});

export type LicenseClaims = z.infer<typeof claims>;

/**
 * Verifies a license that is to be applied now. Throws `invalid` with one of the codes `license_too_large`,
 * `license_malformed`, `license_unsigned`, `license_unknown_key`, `license_signature_invalid`,
 * `license_other_installation`, `license_not_yet_valid` and `license_expired`.
 */
export async function verifyLicense(
  token: string,
  by: { keys: readonly LicenseKey[]; installationId: string; nowSeconds: number },
): Promise<LicenseClaims> {
  if (Buffer.byteLength(token) > MAX_BYTES) throw refused('license_too_large', 'is larger than 8 KB');
  const { keyId } = headerOf(token);
  const known = by.keys.find(({ id }) => id === keyId);
  if (!known) {
    throw refused('license_unknown_key', 'is signed with an unknown key', {
      hint: 'Ask the vendor for its public key and add it to the setting licence.publicKeys.',
    });
  }
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: known.publicKey } });
  let payload: Uint8Array;
  try {
    ({ payload } = await compactVerify(token, key, { algorithms: ['EdDSA'] }));
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    throw refused('license_signature_invalid', 'was altered, or was not signed with the key it names');
  }
  const license = parseClaims(payload);
  if (license.installation !== undefined && license.installation !== by.installationId) {
    throw refused('license_other_installation', 'is for another installation', {
      hint: `Ask the vendor for a license for the installation ${by.installationId}.`,
    });
  }
  if ((license.nbf ?? 0) > by.nowSeconds + SKEW_SECONDS) {
    throw refused('license_not_yet_valid', `is not valid before ${iso(license.nbf!)}`);
  }
  if (license.exp !== undefined && license.exp <= by.nowSeconds) {
    throw refused('license_expired', `expired at ${iso(license.exp)}`);
  }
  return license;
}

/** Reads the claims of a license that was verified when it was applied. */
export function readLicense(token: string): { readonly claims: LicenseClaims; readonly keyId: string } {
  return {
    claims: parseClaims(Buffer.from(token.split('.')[1] ?? '', 'base64url')),
    keyId: headerOf(token).keyId,
  };
}

export const iso = (epochSeconds: number): string => new Date(epochSeconds * 1_000).toISOString();

function headerOf(token: string): { keyId: string } {
  const parts = token.split('.');
  if (parts.length !== 3) throw malformed();
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    // The library throws several errors for a malformed header; each means that the text is not a license.
    throw malformed();
  }
  if (header.alg === undefined || header.alg.toLowerCase() === 'none' || parts[2] === '') {
    throw refused('license_unsigned', 'is not signed');
  }
  if (header.typ !== TYPE) throw malformed();
  if (header.alg !== 'EdDSA') throw refused('license_signature_invalid', 'is not signed with Ed25519');
  return { keyId: typeof header.kid === 'string' ? header.kid : '' };
}

function parseClaims(payload: Uint8Array): LicenseClaims {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw malformed();
  }
  const parsed = claims.safeParse(json);
  if (!parsed.success) throw malformed();
  return parsed.data;
}

function malformed(): ClavigerError {
  return refused('license_malformed', 'is not a license of this product', {
    hint: 'Paste the whole text as the vendor sent it, without line breaks.',
  });
}

function refused(code: string, detail: string, options: { hint?: string } = {}): ClavigerError {
  return new ClavigerError('invalid', `The license ${detail}.`, {
    code,
    fields: [{ pointer: '/license', detail }],
    ...options,
  });
}
