/** The extent of a request or an approval. An absent or null dimension is not limited. */
export interface Extent {
  /** The subject by name: an entry of a resource, a device, one action of a tool. */
  readonly subject?: Readonly<Record<string, string | null>>;
  /** The user of the access. */
  readonly userId?: string | null;
  readonly minutes?: number | null;
  /** Whether the secret is disclosed only once. */
  readonly oneTime?: boolean;
  /** Whether the secret is rotated at the end. */
  readonly rotateOnEnd?: boolean;
}

export type Dimension = keyof Extent;

/**
 * Returns a dimension in which `given` exceeds `asked`, else undefined. An approval never gives more than was
 * requested; a longer or wider access requires a new request.
 */
export function beyondAsked(asked: Extent, given: Extent): Dimension | undefined {
  const [before, after] = [asked.subject ?? {}, given.subject ?? {}];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  if (names.some((name) => (before[name] ?? null) !== (after[name] ?? null))) return 'subject';
  if ((asked.userId ?? null) !== (given.userId ?? null)) return 'userId';
  const minutes = given.minutes ?? Number.POSITIVE_INFINITY;
  if (minutes > minutesWithin(asked, minutes)) return 'minutes';
  if (asked.oneTime && !given.oneTime) return 'oneTime';
  if (asked.rotateOnEnd && !given.rotateOnEnd) return 'rotateOnEnd';
  return undefined;
}

/**
 * Minutes of an approval that no person chose for the request, such as the duration of a rule: limited to
 * what was requested.
 */
export function minutesWithin(asked: Pick<Extent, 'minutes'>, wanted: number): number {
  return Math.min(wanted, asked.minutes ?? Number.POSITIVE_INFINITY);
}
