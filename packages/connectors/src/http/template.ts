/** What a request may take from an account. Secrets never become a part of an address. */
export interface Values {
  readonly username: string;
  readonly password?: string;
  readonly newPassword?: string;
  readonly adminUsername?: string;
  readonly adminPassword?: string;
}

const PLACEHOLDER = /\{(username|password|newPassword|adminUsername|adminPassword)\}/g;
const known = new Set(['username', 'password', 'newPassword', 'adminUsername', 'adminPassword']);

/** The placeholders in a text; `unknown` are those that look like one and are none. */
export function placeholdersIn(text: string): { known: string[]; unknown: string[] } {
  const names = [...text.matchAll(/\{([A-Za-z]+)\}/g)].map((match) => match[1] ?? '');
  return {
    known: names.filter((name) => known.has(name)),
    unknown: names.filter((name) => !known.has(name)),
  };
}

/** Fills a text in one pass, so that what is filled in is never read as a placeholder. Throws for a value that is not there. */
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

/** The same in every text inside a piece of JSON; names of members stay as they are. */
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
    super(`The request wants {${value}}, which is not known here.`);
    this.value = value;
  }
}
