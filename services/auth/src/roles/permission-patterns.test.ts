import { permits } from '@claviger/service-kit';
import { expect, test } from 'vitest';
import { BUILT_IN_ROLES } from './built-in-roles.ts';
import { isPermissionPattern, narrowed, PERMISSIONS } from './permission-patterns.ts';

test('every pattern of a built-in role names a permission that an operation requires', () => {
  for (const role of BUILT_IN_ROLES) {
    for (const pattern of role.permissions)
      expect(isPermissionPattern(pattern), `${role.name}: ${pattern}`).toBe(true);
  }
});

test('a narrowed set allows exactly what both sets allow', () => {
  const sets = [
    ['*'],
    ['users.*'],
    ['users.read', 'roles.read'],
    ['vault.entries.*', 'users.read'],
    ['vault.*'],
  ];
  for (const held of sets) {
    for (const narrowing of sets) {
      const both = new Set(narrowed(held, narrowing));
      for (const permission of PERMISSIONS) {
        expect(permits(both, permission), `${held} ∩ ${narrowing}: ${permission}`).toBe(
          permits(new Set(held), permission) && permits(new Set(narrowing), permission),
        );
      }
    }
  }
  expect(narrowed(['users.*'], [])).toEqual(['users.*']);
});
