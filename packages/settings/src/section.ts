import type { FieldProblem } from '@claviger/errors';
import { z } from 'zod';

export type SettingScope = 'platform' | 'tenant';
export type SettingsService = 'auth' | 'vault' | 'workflow' | 'audit' | 'gateway';

/** One setting: its values, default and scope, and the effect of a change. */
export interface SettingKey<S extends z.ZodType = z.ZodType> {
  /**
   * `platform`: one value for the installation, set by its administrators. `tenant`: one value per tenant.
   */
  readonly scope: SettingScope;
  /** Messages are shown to people; they may quote keys, never values. Objects must be strict. */
  readonly schema: S;
  readonly default: z.input<S>;
  readonly description: string;
  /** e.g. `minutes`, `requests a minute` */
  readonly unit?: string;
  /**
   * `true`: the whole value, a text, is secret. A list names secret texts inside the value: member names
   * joined by dots, `*` for every list item, e.g. `['*.token']`. Items of such a list need an `id` or a
   * `name`, by which a returned mask is matched with its secret.
   */
  readonly secret?: true | readonly string[];
  /**
   * Members that say where the secret is sent (for a whole-value secret, keys of its section), e.g.
   * `['url']`. When one changes, the secret must be given again, so that a person who cannot read it cannot
   * redirect it.
   */
  readonly secretFor?: readonly string[];
  /** Services that read it only at their start. */
  readonly restart?: readonly SettingsService[];
}

export type SettingKeys = Readonly<Record<string, SettingKey>>;
export type SettingValues<K extends SettingKeys> = { readonly [P in keyof K]: z.output<K[P]['schema']> };

export interface Section<N extends string = string, K extends SettingKeys = SettingKeys> {
  readonly name: N;
  /** Services that may read the section, including secrets. */
  readonly services: readonly SettingsService[];
  readonly keys: K;
  readonly defaults: SettingValues<K>;
  /** Adds defaults and ignores unknown keys. Throws for an invalid value; auth does not store any. */
  parse(values: Readonly<Record<string, unknown>>): SettingValues<K>;
  /** Describes invalid values by JSON pointers such as `/maximumGrantMinutes`. */
  problems(values: Readonly<Record<string, unknown>>): FieldProblem[];
}

export interface SectionOptions<K extends SettingKeys> {
  readonly services: readonly SettingsService[];
  readonly keys: K;
  /** Rules between keys, for values that are valid by themselves. Uses pointers such as `/endpoint`. */
  readonly check?: (values: SettingValues<K>) => FieldProblem[];
}

const NAME = /^[a-z][A-Za-z0-9]{0,40}$/;

/** Lets the compiler check the default against its schema. */
export function setting<S extends z.ZodType>(key: SettingKey<S>): SettingKey<S> {
  return key;
}

/** Declares a section. Throws when a default is not valid. */
export function defineSection<N extends string, K extends SettingKeys>(
  name: N,
  { services, keys, check }: SectionOptions<K>,
): Section<N, K> {
  for (const each of [name, ...Object.keys(keys)]) {
    if (!NAME.test(each)) throw new Error(`${each} is not a valid name for a section or a setting.`);
  }
  const filled = (values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(keys).map(([key, { default: fallback }]) => [
        key,
        Object.hasOwn(values, key) ? values[key] : fallback,
      ]),
    );
  const schema = z.strictObject(
    Object.fromEntries(Object.entries(keys).map(([key, { schema: rule }]) => [key, rule])),
  );
  const problems = (values: Readonly<Record<string, unknown>>): FieldProblem[] => {
    const parsed = schema.safeParse(filled(values));
    if (parsed.success) return check?.(parsed.data as SettingValues<K>) ?? [];
    return parsed.error.issues.map((issue) => ({
      pointer: issue.path.map((step) => `/${String(step)}`).join(''),
      detail: issue.message,
    }));
  };
  const parse = (values: Readonly<Record<string, unknown>>): SettingValues<K> => {
    const found = problems(values);
    if (found.length > 0) {
      const list = found.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; ');
      throw new Error(`The settings ${name} are not valid: ${list}`);
    }
    return Object.freeze(schema.parse(filled(values))) as SettingValues<K>;
  };
  return { name, services, keys, defaults: parse({}), parse, problems };
}
