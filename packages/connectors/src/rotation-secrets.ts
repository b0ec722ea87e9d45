import type { Account, Credential, RotationSecrets } from './connector.ts';
import { ConnectorError } from './connector-error.ts';

/** The password by which an account rotates itself. Throws ConnectorError (`configuration`) without one. */
export function requireCurrent({ current }: RotationSecrets): string {
  if (current !== undefined) return current;
  throw new ConnectorError('configuration', 'The account rotates itself, which needs its current password.', {
    hint: 'Give the entry its password, or set rotateAs admin.',
  });
}

/** The administrator by whom a target is rotated. Throws ConnectorError (`configuration`) without one. */
export function requireAdmin({ admin }: RotationSecrets): Credential {
  if (admin !== undefined) return admin;
  throw new ConnectorError('configuration', 'This target is rotated by an administrator; none was given.', {
    hint: 'Give the resource the entry of an administrator (adminEntryId), or set rotateAs self.',
  });
}

/** The login that changes the password, as the settings say. Throws ConnectorError (`configuration`) without its secret. */
export function changingLogin(
  { rotateAs }: { readonly rotateAs: 'self' | 'admin' },
  { username }: Account,
  secrets: RotationSecrets,
): Credential {
  return rotateAs === 'self' ? { username, password: requireCurrent(secrets) } : requireAdmin(secrets);
}
