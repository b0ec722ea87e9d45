import { CommandError, EXIT } from '@claviger/terminal/exit-codes';

/** A usage error. */
export const refuse = (message: string): CommandError => new CommandError(message, EXIT.usage);

type Given = Readonly<Record<string, unknown>>;

const count = (given: Given) =>
  Object.values(given).filter((value) => value !== undefined && value !== false).length;

/** Throws a usage error unless exactly one of these options is given. */
export function oneOf(given: Given): void {
  if (count(given) !== 1) throw refuse(`give one of ${Object.keys(given).join(' and ')}`);
}

/** Whether one of these options is given; throws a usage error for several. */
export function atMostOneOf(given: Given): boolean {
  if (count(given) > 1) throw refuse(`give one of ${Object.keys(given).join(', ')}, not several of them`);
  return count(given) === 1;
}
