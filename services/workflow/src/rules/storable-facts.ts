import type { Facts } from '@claviger/evaluator';

/**
 * The facts as the database returns them, so that a decision can be repeated from its stored facts. A text
 * that cannot be stored (a NUL, an unpaired surrogate) belongs to no file and no person, so it counts as
 * unknown.
 */
export function storableFacts<F extends Facts>(facts: F): F {
  const known = Object.entries(facts).filter(([, value]) => isStorable(value));
  return JSON.parse(JSON.stringify(Object.fromEntries(known))) as F;
}

function isStorable(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isStorable);
  return typeof value !== 'string' || (!value.includes('\u0000') && value.isWellFormed());
}
