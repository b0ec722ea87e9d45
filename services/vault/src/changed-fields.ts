import { isDeepStrictEqual } from 'node:util';

/** The values of the changed fields before and after a change, for audit events. Only public values. */
export function changedFields<T extends object>(
  before: T,
  after: { readonly [K in keyof T]: unknown },
): { readonly before: Partial<T>; readonly after: Partial<T> } {
  const names = (Object.keys(before) as (keyof T)[]).filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  );
  const pick = (from: { readonly [K in keyof T]: unknown }) =>
    Object.fromEntries(names.map((name) => [name, from[name]])) as Partial<T>;
  return { before: pick(before), after: pick(after) };
}
