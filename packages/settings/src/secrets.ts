import { isDeepStrictEqual } from 'node:util';
import type { FieldProblem } from '@claviger/errors';
import type { SettingKey } from './section.ts';

/** Replaces a stored secret in answers; in a request it means: unchanged. */
export const MASK = '********';

type Change = (secret: string, pointer: string) => string;

/** Splits a value into a masked copy and its secrets by JSON pointer. Empty texts are not secrets. */
export function maskSecrets(
  key: SettingKey,
  value: unknown,
): { readonly masked: unknown; readonly secrets: Record<string, string> } {
  const secrets: Record<string, string> = {};
  const masked = mapSecrets(key, value, (secret, pointer) => {
    if (secret === '') return '';
    secrets[pointer] = secret;
    return MASK;
  });
  return { masked, secrets };
}

/** The inverse of maskSecrets. */
export function revealSecrets(
  key: SettingKey,
  masked: unknown,
  secrets: Readonly<Record<string, string>>,
): unknown {
  return mapSecrets(key, masked, (text, pointer) =>
    Object.hasOwn(secrets, pointer) ? secrets[pointer]! : text,
  );
}

export interface Merged {
  readonly value: unknown;
  readonly problems: readonly FieldProblem[];
  /** Pointers of the stored secrets that were kept. */
  readonly kept: readonly string[];
}

/**
 * Replaces masks in a request by the stored secrets. List items are matched by `id` or `name`, at any
 * position. A mask without a stored secret, or with a changed destination, is a problem.
 */
export function mergeMasked(key: SettingKey, incoming: unknown, stored: unknown): Merged {
  const problems: FieldProblem[] = [];
  const kept: string[] = [];
  let value = incoming;
  for (const path of pathsOf(key)) value = mergeAt(key, value, stored, path, '', { problems, kept });
  return { value, problems, kept };
}

function pathsOf({ secret }: SettingKey): readonly (readonly string[])[] {
  if (!secret) return [];
  return secret === true ? [[]] : secret.map((path) => path.split('.'));
}

function mapSecrets(key: SettingKey, value: unknown, change: Change): unknown {
  return pathsOf(key).reduce((result, path) => mapAt(result, path, change, ''), value);
}

function mapAt(value: unknown, path: readonly string[], change: Change, pointer: string): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return typeof value === 'string' ? change(value, pointer) : value;
  if (step === '*') {
    return Array.isArray(value)
      ? value.map((item, index) => mapAt(item, rest, change, `${pointer}/${index}`))
      : value;
  }
  if (!isRecord(value) || !Object.hasOwn(value, step)) return value;
  return { ...value, [step]: mapAt(value[step], rest, change, `${pointer}/${step}`) };
}

interface Findings {
  readonly problems: FieldProblem[];
  readonly kept: string[];
}

function mergeAt(
  key: SettingKey,
  value: unknown,
  stored: unknown,
  path: readonly string[],
  pointer: string,
  found: Findings,
): unknown {
  const [step, ...rest] = path;
  if (step === undefined) {
    if (value !== MASK) return value;
    if (typeof stored === 'string' && stored !== '') {
      found.kept.push(pointer);
      return stored;
    }
    found.problems.push({ pointer, detail: 'is the mask of a secret, but none is stored here' });
    return '';
  }
  if (step === '*') {
    if (!Array.isArray(value)) return value;
    return value.map((item, index) =>
      mergeAt(key, item, counterpart(item, stored), rest, `${pointer}/${index}`, found),
    );
  }
  if (!isRecord(value) || !Object.hasOwn(value, step)) return value;
  const before = isRecord(stored) ? stored : {};
  const inner = Object.hasOwn(before, step) ? before[step] : undefined;
  const at = `${pointer}/${step}`;
  if (rest.length === 0 && value[step] === MASK && typeof inner === 'string' && inner !== '') {
    const moved = (key.secretFor ?? []).filter(
      (each) => !isDeepStrictEqual(value[each] ?? '', before[each] ?? ''),
    );
    if (moved.length > 0) {
      found.problems.push({
        pointer: at,
        detail: `must be given again, because ${moved.join(', ')} changed`,
      });
      return value;
    }
  }
  return { ...value, [step]: mergeAt(key, value[step], inner, rest, at, found) };
}

/** The stored item with the same `id`, or else the same `name`. */
function counterpart(item: unknown, stored: unknown): unknown {
  if (!isRecord(item) || !Array.isArray(stored)) return undefined;
  const by = ['id', 'name'].find((each) => typeof item[each] === 'string' && item[each] !== '');
  return by && stored.find((each) => isRecord(each) && each[by] === item[by]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
