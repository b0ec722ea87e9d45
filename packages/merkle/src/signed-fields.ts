/** A check of one field of a signed object. */
export type FieldCheck = (value: unknown) => boolean;

export const isText: FieldCheck = (value) =>
  typeof value === 'string' && value.length > 0 && value.length <= 512 && value.isWellFormed();
export const isHashHex: FieldCheck = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
export const isKeyId: FieldCheck = (value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
export const isSignature: FieldCheck = (value) =>
  typeof value === 'string' && /^[A-Za-z0-9_-]{86}$/.test(value);
export const isTreeSize: FieldCheck = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** A time exactly as `Date.prototype.toISOString` writes it, so that each time has one spelling. */
export const isTimestamp: FieldCheck = (value) =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
  !Number.isNaN(Date.parse(value)) &&
  new Date(value).toISOString() === value;

/** Returns the name of the first missing, malformed or unknown field; undefined if there is none. */
export function firstBadField(
  value: unknown,
  checks: Readonly<Record<string, FieldCheck>>,
): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '(not an object)';
  for (const [name, check] of Object.entries(checks))
    if (!Object.hasOwn(value, name) || !check((value as Record<string, unknown>)[name])) return name;
  return Object.keys(value).find((name) => !Object.hasOwn(checks, name));
}
