import { methods } from '@claviger/contracts';
import { permits } from '@claviger/service-kit';

/** Permissions that widen an operation: handlers check them, and no policy of the contract requires them. */
const WIDENING = ['grants.revoke', 'requests.read-all', 'vault.entries.retrieve-any'];

/** Every permission that an operation requires, sorted. */
export const PERMISSIONS: readonly string[] = [
  ...new Set([...WIDENING, ...[...methods.values()].flatMap((method) => method.policy?.permission || [])]),
].sort();

/** Whether a text is `*`, an existing permission, or the beginning of one with `.*`. */
export function isPermissionPattern(text: string): boolean {
  if (text === '*') return true;
  if (!text.endsWith('.*')) return PERMISSIONS.includes(text);
  return PERMISSIONS.some((permission) => permission.startsWith(text.slice(0, -1)));
}

/** Returns the patterns that both lists allow. An empty `narrowing` allows all of `held`. */
export function narrowed(held: readonly string[], narrowing: readonly string[]): string[] {
  if (narrowing.length === 0) return [...held];
  const byHeld = new Set(held);
  const byNarrowing = new Set(narrowing);
  return [
    ...new Set([
      ...narrowing.filter((pattern) => permits(byHeld, pattern)),
      ...held.filter((pattern) => permits(byNarrowing, pattern)),
    ]),
  ];
}
