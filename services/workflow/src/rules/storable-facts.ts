import type { Facts } from '@claviger/evaluator';

/**
 * Facts as they come back from the database: a decision must be repeatable by what was stored. A text that cannot be stored
 * (a NUL, half a character) belongs to no file and no person, so that it counts as not known.
 */
export function storableFacts<F extends Facts>(facts: F): F {
  const known = Object.entries(facts).filter(([, value]) => isStorable(value));
  return JSON.parse(JSON.stringify(Object.fromEntries(known))) as F;
}

function isStorable(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isStorable);
  return typeof value !== 'string' || (!value.includes('\u0000') && value.isWellFormed());
}
