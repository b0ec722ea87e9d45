import { AccessLevel } from '@claviger/contracts';

/** The access levels to a secret; each includes those before it. A share with `manage` gives full access. */
export type Access = 'none' | 'view' | 'modify' | 'full';

const ORDER: readonly Access[] = ['none', 'view', 'modify', 'full'];

export function reaches(access: Access, needed: Access): boolean {
  return ORDER.indexOf(access) >= ORDER.indexOf(needed);
}

/** The level that a method's policy declares. Throws if it declares none. */
export function levelOf(declared: AccessLevel): Access {
  switch (declared) {
    case AccessLevel.ACCESS_LEVEL_NONE:
      return 'none';
    case AccessLevel.ACCESS_LEVEL_VIEW:
      return 'view';
    case AccessLevel.ACCESS_LEVEL_MODIFY:
      return 'modify';
    case AccessLevel.ACCESS_LEVEL_FULL:
      return 'full';
    default:
      throw new Error('The policy of the method declares no access level.');
  }
}
