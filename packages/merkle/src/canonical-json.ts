import canonicalize from 'canonicalize';

/** A value that has exactly one JSON form. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/**
 * Deeper values are refused: nothing that is signed or hashed is nested as deep, and this also stops cycles.
 */
export const MAX_CANONICAL_DEPTH = 64;

/**
 * The value has no single JSON form. `path` tells where, e.g. `$.actor.name`; the message never contains the
 * value.
 */
export class CanonicalJsonError extends TypeError {
  override readonly name = 'CanonicalJsonError';
  readonly path: string;
  constructor(path: string, problem: string) {
    super(`${path} ${problem}`);
    this.path = path;
  }
}

/**
 * RFC 8785 (JCS) text of a JSON value: members sorted by UTF-16 code units, ECMAScript numbers, no blanks.
 * Whatever `JSON.stringify` would silently drop, convert or let differ between readers is refused instead,
 * because a signature over it would not say what its author meant.
 *
 * @throws {CanonicalJsonError} for undefined, functions, symbols, bigints, NaN and infinities, lone
 * surrogates, objects that are not plain, accessors, symbol keys, array holes, `__proto__` members, depth
 * over 64.
 */
export function canonicalJson(value: unknown): string {
  refuseAmbiguous(value, '$', 0);
  const text = canonicalize(value);
  if (text === undefined) throw new CanonicalJsonError('$', 'has no JSON form');
  return text;
}

function refuseAmbiguous(value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new CanonicalJsonError(path, 'has a lone surrogate');
      return;
    case 'number':
      if (!Number.isFinite(value)) throw new CanonicalJsonError(path, 'is not a finite number');
      return;
    case 'boolean':
      return;
    case 'object':
      break;
    default:
      throw new CanonicalJsonError(path, `is of type ${typeof value}`);
  }
  if (value === null) return;
  if (depth >= MAX_CANONICAL_DEPTH)
    throw new CanonicalJsonError(path, `is nested deeper than ${MAX_CANONICAL_DEPTH}`);
  if (Array.isArray(value)) refuseAmbiguousArray(value, path, depth);
  else refuseAmbiguousObject(value, path, depth);
}

function refuseAmbiguousArray(value: readonly unknown[], path: string, depth: number): void {
  if (Object.getPrototypeOf(value) !== Array.prototype)
    throw new CanonicalJsonError(path, 'is not a plain array');
  // One own key per element and `length`: no holes, no named or symbol properties that the text would lose.
  if (Reflect.ownKeys(value).length !== value.length + 1)
    throw new CanonicalJsonError(path, 'has holes or named properties');
  for (let i = 0; i < value.length; i++)
    refuseAmbiguous(dataProperty(value, `${i}`, path), `${path}[${i}]`, depth + 1);
}

function refuseAmbiguousObject(value: object, path: string, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new CanonicalJsonError(path, 'is not a plain object');
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'symbol') throw new CanonicalJsonError(path, 'has a symbol as a name');
    if (key === '__proto__') throw new CanonicalJsonError(path, 'has a member named __proto__');
    if (!key.isWellFormed()) throw new CanonicalJsonError(path, 'has a lone surrogate in a name');
    refuseAmbiguous(dataProperty(value, key, path), `${path}.${key}`, depth + 1);
  }
}

/** Returns the value of an enumerable data property. A getter could return another value on the next read. */
function dataProperty(owner: object, key: string, path: string): unknown {
  const property = Object.getOwnPropertyDescriptor(owner, key);
  if (property === undefined || !('value' in property) || property.enumerable !== true)
    throw new CanonicalJsonError(path, 'has an accessor, a hidden member or a hole');
  return property.value;
}
