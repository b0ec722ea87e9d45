import { ClavigerError } from '@claviger/errors';
import { isPermissionPattern } from './permission-patterns.ts';

/**
 * Returns the patterns sorted, without duplicates. Throws `invalid` for a pattern that no operation requires.
 */
export function checkedPermissions(patterns: readonly string[]): string[] {
  patterns.forEach((pattern, index) => {
    if (!isPermissionPattern(pattern)) {
      throw ClavigerError.invalid(
        `/permissions/${index}`,
        'is not a permission: see GET /api/v1/permissions',
      );
    }
  });
  return [...new Set(patterns)].sort();
}
