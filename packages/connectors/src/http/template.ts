/** The values that a request may use. Secrets are never part of a URL. */
export interface Values {
  readonly username: string;
  readonly password?: string;
  readonly newPassword?: string;
  readonly adminUsername?: string;
  readonly adminPassword?: string;
}

const PLACEHOLDER = /\{(username|password|newPassword|adminUsername|adminPassword)\}/g;
const known = new Set(['username', 'password', 'newPassword', 'adminUsername', 'adminPassword']);

/** Returns the placeholders in a text; `unknown` has those with an unknown name. */
export function placeholdersIn(text: string): { known: string[]; unknown: string[] } {
  const names = [...text.matchAll(/\{([A-Za-z]+)\}/g)].map((match) => match[1] ?? '');
  return {
    known: names.filter((name) => known.has(name)),
    unknown: names.filter((name) => !known.has(name)),
  };
}

/**
 * Fills in the values in one pass, so that a value is never parsed as a placeholder. Throws for a missing
 * value.
 */
export function fill(
  text: string,
  values: Values,
  encode: (value: string) => string = (value) => value,
): string {
  return text.replace(PLACEHOLDER, (_all, name: keyof Values) => {
    const value = values[name];
    if (value === undefined) throw new MissingValueError(name);
    return encode(value);
  });
}

/** Fills in the values in every string of a JSON value; member names do not change. */
export function fillJson(json: unknown, values: Values): unknown {
  if (typeof json === 'string') return fill(json, values);
  if (Array.isArray(json)) return json.map((item) => fillJson(item, values));
  if (typeof json === 'object' && json !== null)
    return Object.fromEntries(Object.entries(json).map(([name, item]) => [name, fillJson(item, values)]));
  return json;
}

export class MissingValueError extends Error {
  override readonly name = 'MissingValueError';
  readonly value: string;
  constructor(value: string) {
    super(`The request needs {${value}}, which has no value here.`);
    this.value = value;
  }
}
