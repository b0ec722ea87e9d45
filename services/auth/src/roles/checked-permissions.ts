import { ClavigerError } from '@claviger/errors';
import { isPermissionPattern } from './permission-patterns.ts';

/** Sorted and without repetition. Throws `invalid` for what no operation asks for: a typing error must not wait unseen. */
export function checkedPermissions(patterns: readonly string[]): string[] {
  patterns.forEach((pattern, index) => {
    if (!isPermissionPattern(pattern)) {
      throw ClavigerError.invalid(`/permissions/${index}`, 'is no permission: see GET /api/v1/permissions');
    }
  });
  return [...new Set(patterns)].sort();
}
