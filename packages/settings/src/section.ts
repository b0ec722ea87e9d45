import type { FieldProblem } from '@claviger/errors';
import { z } from 'zod';

export type SettingScope = 'platform' | 'tenant';
export type SettingsService = 'auth' | 'vault' | 'workflow' | 'audit' | 'gateway';

/** One setting: what it may hold, what it is without anybody's doing, and what a change of it means. */
export interface SettingKey<S extends z.ZodType = z.ZodType> {
  /** `platform`: one value for the installation, set by its administrators alone. `tenant`: each tenant its own. */
  readonly scope: SettingScope;
  /** Messages are shown to people; they may quote keys, never values. Objects in it must be strict. */
  readonly schema: S;
  readonly default: z.input<S>;
  readonly description: string;
  /** e.g. `minutes`, `requests a minute` */
  readonly unit?: string;
  /**
   * `true`: the whole value, a text, is secret. A list names the secret texts inside: member names joined by dots, `*` for
   * every item of a list, e.g. `['*.token']`. Items of such a list need an `id` or a `name`, by which a masked value that
   * comes back finds the secret it stands for.
   */
  readonly secret?: true | readonly string[];
  /**
   * To whom the secret goes: members beside it (of a whole-value secret, keys of its section), e.g. `['url']`. While one of
   * them changes, the secret must be given anew: nobody sends a secret that they may not see to a place of their choice.
   */
  readonly secretFor?: readonly string[];
  /** Services that read it at their start only. */
  readonly restart?: readonly SettingsService[];
}

export type SettingKeys = Readonly<Record<string, SettingKey>>;
export type SettingValues<K extends SettingKeys> = { readonly [P in keyof K]: z.output<K[P]['schema']> };

export interface Section<N extends string = string, K extends SettingKeys = SettingKeys> {
  readonly name: N;
  /** Services that read the section, secrets included. Others are refused. */
  readonly services: readonly SettingsService[];
  readonly keys: K;
  readonly defaults: SettingValues<K>;
  /** Fills in defaults; ignores keys it does not know. Throws where a value does not fit: auth stores none that does not. */
  parse(values: Readonly<Record<string, unknown>>): SettingValues<K>;
  /** What is wrong with these values, by JSON pointers such as `/maximumGrantMinutes`. */
  problems(values: Readonly<Record<string, unknown>>): FieldProblem[];
}

export interface SectionOptions<K extends SettingKeys> {
  readonly services: readonly SettingsService[];
  readonly keys: K;
  /** Rules between keys; sees values that are each valid by themselves. Pointers such as `/endpoint`. */
  readonly check?: (values: SettingValues<K>) => FieldProblem[];
}

const NAME = /^[a-z][A-Za-z0-9]{0,40}$/;

/** For the list of keys: lets the default be checked against its own schema by the compiler. */
export function setting<S extends z.ZodType>(key: SettingKey<S>): SettingKey<S> {
  return key;
}

/** Declares a section. A default that does not fit its own rule stops the program here. */
export function defineSection<N extends string, K extends SettingKeys>(
  name: N,
  { services, keys, check }: SectionOptions<K>,
): Section<N, K> {
  for (const each of [name, ...Object.keys(keys)]) {
    if (!NAME.test(each)) throw new Error(`${each} is no name for a section or a setting.`);
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
