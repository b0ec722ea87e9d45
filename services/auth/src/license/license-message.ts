import type * as license from '@claviger/contracts/auth/v1/license';
import type { Database } from '@claviger/database';
import type { AuthSchema } from '../schema.ts';
import type { LicenseInForce } from './license-store.ts';
import { countUsed } from './license-usage.ts';
import { iso, type LicenseClaims } from './verify-license.ts';

const HINTS = {
  none: 'All functions work without a license.',
  active: '',
  expired:
    'The license has expired. All functions continue to work; ask the vendor for a new license to have support.',
};

/** The license as the API shows it, with current usage. */
export async function licenseMessage(
  database: Database<AuthSchema>,
  installationId: string,
  inForce: LicenseInForce | undefined,
): Promise<license.License> {
  const [users, tenants] = await Promise.all([countUsed(database, 'users'), countUsed(database, 'tenants')]);
  const claims = inForce?.claims;
  const state = !inForce ? 'none' : inForce.expired ? 'expired' : 'active';
  return {
    state,
    installationId,
    id: claims?.jti ?? '',
    owner: claims?.owner ?? '',
    keyId: inForce?.keyId ?? '',
    issuedAt: time(claims?.iat),
    expiresAt: time(claims?.exp),
    supportUntil: time(claims?.supportUntil),
    enforce: claims?.enforce ?? false,
    limits: [
      limitOf('users', claims, users),
      limitOf('resources', claims, undefined),
      limitOf('tenants', claims, tenants),
    ],
    hint: HINTS[state],
    appliedAt: inForce?.appliedAt.toISOString(),
    appliedBy: inForce?.appliedBy ?? '',
    rowVersion: inForce?.version ?? 0,
  };
}

function limitOf(
  name: keyof LicenseClaims['limits'],
  claims: LicenseClaims | undefined,
  used: number | undefined,
): license.LicenseLimit {
  const limit = claims?.limits[name];
  return { name, limit, used, exceeded: limit !== undefined && used !== undefined && used > limit };
}

const time = (epochSeconds: number | undefined): string | undefined =>
  epochSeconds === undefined ? undefined : iso(epochSeconds);
