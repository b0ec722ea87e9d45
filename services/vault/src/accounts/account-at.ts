import { type AccountKey, accountKeysOf } from '@claviger/connectors';
import type { Target } from '../targets/load-target.ts';

type Reached = Pick<Target, 'type' | 'settings' | 'resourceId'>;

/** The account that a login with this user name reaches. A name that no connector can log in with is one of the resource. */
export function accountAt(target: Reached, username: string): AccountKey {
  return accountsAt(target)(username);
}

/** The same for many names of one target, whose settings are read once. */
export function accountsAt({ type, settings, resourceId }: Reached): (username: string) => AccountKey {
  const keyOf = accountKeysOf(type, settings);
  return (username) => keyOf(username) ?? { target: `resource ${resourceId}`, account: username };
}
