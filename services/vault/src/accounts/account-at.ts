import { type AccountKey, accountKey } from '@claviger/connectors';
import type { Target } from '../targets/load-target.ts';

/** The account that a login with this user name reaches. A name that no connector can log in with is one of the resource. */
export function accountAt(
  target: Pick<Target, 'type' | 'settings' | 'resourceId'>,
  username: string,
): AccountKey {
  return (
    accountKey(target.type, target.settings, username) ?? {
      target: `resource ${target.resourceId}`,
      account: username,
    }
  );
}
