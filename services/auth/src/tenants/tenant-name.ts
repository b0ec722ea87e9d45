import { ClavigerError } from '@claviger/errors';

const MIN_LENGTH = 2;
const MAX_LENGTH = 63;
const SHAPE = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Names that people or programs might take for a part of the system. */
const RESERVED = new Set(
  `admin administrator all anonymous any api audit auth claviger default everyone gateway internal localhost me msp new none null
  operator platform public root security self support sys system tenant tenants undefined vault workflow www`.split(
    /\s+/,
  ),
);

/**
 * Throws `invalid` unless the name is allowed for a new tenant. The alphabet is small, so that no two names
 * look alike by case, width, accent or script.
 */
export function checkTenantName(name: string): void {
  if (name.length < MIN_LENGTH || name.length > MAX_LENGTH) {
    throw ClavigerError.invalid('/name', `must have ${MIN_LENGTH} to ${MAX_LENGTH} characters`);
  }
  if (!SHAPE.test(name)) {
    throw ClavigerError.invalid('/name', 'must be lower-case letters a-z, digits and inner hyphens');
  }
  // Browsers display such labels as other characters.
  if (name.startsWith('xn--')) throw ClavigerError.invalid('/name', 'must not begin with xn--');
  if (RESERVED.has(name)) throw ClavigerError.invalid('/name', 'is reserved: choose another one');
}
