import type { Entry } from 'ldapts';

/** Returns the first value of an attribute (its name in any case); empty if there is none. */
export type AttributeReader = (attribute: string) => string;

export function attributesOf(entry: Entry | undefined): AttributeReader {
  return (attribute) => valuesOf(entry, attribute)[0] ?? '';
}

/** Returns all text values of an attribute. */
export function valuesOf(entry: Entry | undefined, attribute: string): string[] {
  const [, values] =
    Object.entries(entry ?? {}).find(([name]) => name.toLowerCase() === attribute.toLowerCase()) ?? [];
  return [values ?? []].flat().filter((value) => typeof value === 'string');
}

/**
 * Parses a GeneralizedTime in UTC, such as `20261130194049Z`. Returns undefined for anything else, and for
 * `000001010000Z`, which means a lock without end.
 */
export function dateOfGeneralizedTime(text: string): Date | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:[.,]\d+)?Z$/.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  return year === 0 ? undefined : new Date(Date.UTC(year, month - 1, day, hour, minute, second));
}

/** Parses Active Directory's time in 100 ns since 1601; undefined for 0 and for "never". */
export function dateOfTicks(text: string): Date | undefined {
  if (!/^[1-9]\d{10,18}$/.test(text) || BigInt(text) >= NEVER) return undefined;
  return new Date(Number(BigInt(text) / 10_000n) - 11_644_473_600_000);
}

const NEVER = 0x7fff_ffff_ffff_ffffn;
