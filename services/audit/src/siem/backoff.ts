const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/**
 * Returns the delay after this number of consecutive failures. It doubles up to half a minute; `chance` (0 to
 * 1) reduces it by up to half.
 */
export function backoffMs(failures: number, chance: number): number {
  const full = Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 20), LONGEST_MS);
  return Math.round(full * (1 - chance / 2));
}
