import { type AccountKey, accountKeysOf } from '@claviger/connectors';
import type { Target } from '../targets/load-target.ts';

type Reached = Pick<Target, 'type' | 'settings' | 'resourceId'>;

/**
 * The account that a login with this user name reaches. For a name that no connector accepts: one per
 * resource.
 */
export function accountAt(target: Reached, username: string): AccountKey {
  return accountsAt(target)(username);
}

/** As `accountAt`, for many names of one target: the target's settings are parsed once. */
export function accountsAt({ type, settings, resourceId }: Reached): (username: string) => AccountKey {
  const keyOf = accountKeysOf(type, settings);
  return (username) => keyOf(username) ?? { target: `resource ${resourceId}`, account: username };
}
