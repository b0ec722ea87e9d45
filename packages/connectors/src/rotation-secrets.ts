import type { Account, Credential, RotationSecrets } from './connector.ts';
import { ConnectorError } from './connector-error.ts';

/**
 * Returns the password with which the account rotates itself. Throws ConnectorError (`configuration`) without
 * it.
 */
export function requireCurrent({ current }: RotationSecrets): string {
  if (current !== undefined) return current;
  throw new ConnectorError('configuration', 'The account rotates itself, which needs its current password.', {
    hint: 'Give the entry its password, or set rotateAs admin.',
  });
}

/** Returns the login of the administrator. Throws ConnectorError (`configuration`) without it. */
export function requireAdmin({ admin }: RotationSecrets): Credential {
  if (admin !== undefined) return admin;
  throw new ConnectorError(
    'configuration',
    'This target is rotated by an administrator, but none is configured.',
    {
      hint: 'Give the resource the entry of an administrator (adminEntryId), or set rotateAs self.',
    },
  );
}

/**
 * Returns the login that changes the password. Throws ConnectorError (`configuration`) without its secret.
 */
export function changingLogin(
  { rotateAs }: { readonly rotateAs: 'self' | 'admin' },
  { username }: Account,
  secrets: RotationSecrets,
): Credential {
  return rotateAs === 'self' ? { username, password: requireCurrent(secrets) } : requireAdmin(secrets);
}
