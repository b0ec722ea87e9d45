import { randomInt } from 'node:crypto';

/**
 * Rules for a generated password. A class without a number is not used; with 0 it may occur; with n it occurs
 * at least n times.
 */
export type PasswordPolicy = {
  readonly minLength: number;
  readonly maxLength: number;
  readonly lower?: number;
  readonly upper?: number;
  readonly digits?: number;
  readonly symbols?: number;
  /** Allowed symbols: printable ASCII without letters, digits, blanks or duplicates. */
  readonly allowedSymbols?: string;
  /** Excludes characters that people confuse: I l 1 | O o 0. */
  readonly excludeAmbiguous?: boolean;
  readonly startWithLetter?: boolean;
};

/** The policy is malformed or cannot be satisfied. */
export class PasswordPolicyError extends RangeError {
  override readonly name = 'PasswordPolicyError';
}

export const MAX_PASSWORD_LENGTH = 1024;
/** No quotes, backslash or backtick: they break the configuration files of too many targets. */
export const DEFAULT_SYMBOLS = '!#$%&()*+,-./:;<=>?@[]^_{|}~';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const DIGITS = '0123456789';
const AMBIGUOUS = new Set('Il1|Oo0');

type CharacterClass = { readonly characters: string; readonly required: number; readonly isLetter: boolean };

/**
 * Generates a random password. The length is uniform within its bounds, each character is uniform within its
 * class, additional characters are uniform over all classes, and the order is a uniform permutation.
 *
 * @throws {PasswordPolicyError}
 */
export function generatePassword(policy: PasswordPolicy): string {
  const classes = characterClasses(policy);
  const length = chooseLength(policy, classes);
  const characters = classes.flatMap(({ characters, required }) =>
    Array.from({ length: required }, () => pick(characters)),
  );
  const letters = joined(classes.filter(({ isLetter }) => isLetter));
  if (policy.startWithLetter && !characters.some((character) => letters.includes(character)))
    characters.push(pick(letters));
  const all = joined(classes);
  while (characters.length < length) characters.push(pick(all));
  shuffle(characters);
  if (policy.startWithLetter) moveLetterToFront(characters, letters);
  return characters.join('');
}

function characterClasses(policy: PasswordPolicy): CharacterClass[] {
  const candidates: [string, number | undefined, boolean][] = [
    [LOWER, policy.lower, true],
    [UPPER, policy.upper, true],
    [DIGITS, policy.digits, false],
    [checkedSymbols(policy.allowedSymbols ?? DEFAULT_SYMBOLS), policy.symbols, false],
  ];
  return candidates.flatMap(([characters, required, isLetter]) => {
    if (required === undefined) return [];
    if (!Number.isSafeInteger(required) || required < 0)
      throw new PasswordPolicyError('the number of required characters must be 0 or more');
    const usable = policy.excludeAmbiguous
      ? [...characters].filter((character) => !AMBIGUOUS.has(character)).join('')
      : characters;
    if (usable === '' && required > 0)
      throw new PasswordPolicyError('the policy requires symbols but allows none');
    return [{ characters: usable, required, isLetter }];
  });
}

function checkedSymbols(symbols: string): string {
  if (!/^[!-/:-@[-`{-~]*$/.test(symbols) || new Set(symbols).size !== symbols.length)
    throw new PasswordPolicyError('allowed symbols must be printable ASCII symbols without duplicates');
  return symbols;
}

function chooseLength(policy: PasswordPolicy, classes: readonly CharacterClass[]): number {
  const { minLength, maxLength } = policy;
  if (!Number.isSafeInteger(minLength) || !Number.isSafeInteger(maxLength))
    throw new PasswordPolicyError('lengths must be whole numbers');
  if (minLength < 1 || maxLength > MAX_PASSWORD_LENGTH || minLength > maxLength)
    throw new PasswordPolicyError(`lengths must be 1 <= minLength <= maxLength <= ${MAX_PASSWORD_LENGTH}`);
  if (joined(classes) === '') throw new PasswordPolicyError('the policy allows no characters');
  const letters = classes.filter(({ isLetter }) => isLetter);
  if (policy.startWithLetter && letters.length === 0)
    throw new PasswordPolicyError('a password without letters cannot start with one');
  const required = classes.reduce((sum, entry) => sum + entry.required, 0);
  const letterToo = policy.startWithLetter && letters.every((entry) => entry.required === 0) ? 1 : 0;
  const shortest = Math.max(minLength, required + letterToo);
  if (shortest > maxLength)
    throw new PasswordPolicyError(
      `the policy requires ${required + letterToo} characters but allows only ${maxLength}`,
    );
  return randomInt(shortest, maxLength + 1);
}

const joined = (classes: readonly CharacterClass[]): string =>
  classes.map(({ characters }) => characters).join('');

/** randomInt is uniform; a remainder of random bytes would favour some values. */
const pick = (characters: string): string => characters[randomInt(characters.length)]!;

/** Fisher-Yates: every order is equally likely. */
function shuffle(items: string[]): void {
  for (let last = items.length - 1; last > 0; last--) swap(items, last, randomInt(last + 1));
}

/** Chooses uniformly among the letters, so that the first character reveals only that it is a letter. */
function moveLetterToFront(characters: string[], letters: string): void {
  const places = [...characters.keys()].filter((at) => letters.includes(characters[at]!));
  swap(characters, 0, places[randomInt(places.length)]!);
}

function swap(items: string[], a: number, b: number): void {
  [items[a], items[b]] = [items[b]!, items[a]!];
}
