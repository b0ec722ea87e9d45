import { isDeepStrictEqual } from 'node:util';
import { ClavigerError, type FieldProblem } from '@claviger/errors';
import { MASK, mergeMasked, type SettingKey, sections } from '@claviger/settings';
import { type NamedKey, settingKeys } from './setting-keys.ts';

export interface PlannedChange {
  readonly named: NamedKey;
  /** Undefined means the default. */
  readonly before: unknown;
  readonly after: unknown;
}

const NAME = /^[A-Za-z][A-Za-z0-9]{0,40}$/;

/**
 * Returns the changes that a settings document makes to the current values. Throws `denied` (`platform_only`)
 * for a setting of the platform, and `invalid` with each field that is wrong in the merged result.
 */
export function planChange(input: {
  readonly document: Readonly<Record<string, unknown>>;
  /** By key name. */
  readonly current: ReadonlyMap<string, unknown>;
  readonly platform: boolean;
}): PlannedChange[] {
  const { current } = input;
  const problems: FieldProblem[] = [];
  const changes: PlannedChange[] = [];
  const given = flatten(input.document, problems);
  const foreign = given.filter(({ named }) => named.key.scope === 'platform' && !input.platform);
  if (foreign.length > 0) {
    const names = foreign.map(({ named }) => named.name).join(', ');
    throw new ClavigerError('denied', `Only the tenant that runs the installation may set ${names}.`, {
      code: 'platform_only',
      fields: foreign.map(({ named }) => ({
        pointer: pointerOf(named),
        detail: 'is a setting of the platform',
      })),
      hint: 'Leave these settings out, or sign in as an administrator of the platform’s own tenant.',
    });
  }
  for (const section of new Set(given.map(({ named }) => named.section))) {
    const own = given.filter(({ named }) => named.section === section);
    const { keys } = sections[section] as { keys: Readonly<Record<string, SettingKey>> };
    const before = membersOf(current, section, Object.keys(keys));
    const next = { ...before };
    const kept = new Set<string>();
    for (const { named, value } of own) {
      if (value === null) {
        delete next[named.member];
        continue;
      }
      const merged = mergeMasked(named.key, value, before[named.member]);
      problems.push(...merged.problems.map(at(pointerOf(named))));
      if (value === MASK) kept.add(named.member);
      next[named.member] = merged.value;
    }
    const wrong = sections[section].problems(next);
    problems.push(...wrong.map(at(`/values/${section}`)));
    if (wrong.length > 0) continue;
    const parsed = sections[section].parse(next) as Readonly<Record<string, unknown>>;
    const defaults = sections[section].defaults as Readonly<Record<string, unknown>>;
    problems.push(...movedSecrets(section, keys, { before, next: parsed, defaults, own, kept }));
    for (const { named, value } of own) {
      const was = before[named.member];
      const after = value === null ? undefined : parsed[named.member];
      const unchanged =
        after === undefined || was === undefined
          ? was === undefined && (after === undefined || isDeepStrictEqual(after, defaults[named.member]))
          : isDeepStrictEqual(after, was);
      if (!unchanged) changes.push({ named, before: was, after });
    }
  }
  if (problems.length > 0)
    throw new ClavigerError('invalid', 'The request is not valid.', { fields: problems });
  return changes;
}

interface Given {
  readonly named: NamedKey;
  readonly value: unknown;
}

function flatten(document: Readonly<Record<string, unknown>>, problems: FieldProblem[]): Given[] {
  return Object.entries(document).flatMap(([section, members]) => {
    if (!Object.hasOwn(sections, section)) {
      problems.push({ pointer: stepTo('/values', section), detail: 'names an unknown section' });
      return [];
    }
    if (typeof members !== 'object' || members === null || Array.isArray(members)) {
      problems.push({ pointer: `/values/${section}`, detail: 'must be an object' });
      return [];
    }
    return Object.entries(members).flatMap(([member, value]) => {
      const named = settingKeys.get(`${section}.${member}`);
      if (named) return [{ named, value }];
      problems.push({
        pointer: stepTo(`/values/${section}`, member),
        detail: 'names an unknown setting',
      });
      return [];
    });
  });
}

/**
 * Returns a problem for each unchanged secret whose destination changed: a stored secret must not go to a new
 * destination.
 */
function movedSecrets(
  section: string,
  keys: Readonly<Record<string, SettingKey>>,
  state: {
    readonly before: Readonly<Record<string, unknown>>;
    readonly next: Readonly<Record<string, unknown>>;
    readonly defaults: Readonly<Record<string, unknown>>;
    readonly own: readonly Given[];
    readonly kept: ReadonlySet<string>;
  },
): FieldProblem[] {
  const { before, next, defaults, own, kept } = state;
  return Object.entries(keys).flatMap(([member, { secret, secretFor = [] }]) => {
    const reentered = own.some(({ named }) => named.member === member) && !kept.has(member);
    if (secret !== true || reentered || !next[member]) return [];
    const moved = secretFor.filter((each) => !isDeepStrictEqual(next[each], before[each] ?? defaults[each]));
    if (moved.length === 0) return [];
    return [
      {
        pointer: `/values/${section}/${member}`,
        detail: `must be entered again, because ${moved.join(', ')} changed`,
      },
    ];
  });
}

function membersOf(
  current: ReadonlyMap<string, unknown>,
  section: string,
  members: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(
    members.flatMap((member) => {
      const name = `${section}.${member}`;
      return current.has(name) ? [[member, current.get(name)]] : [];
    }),
  );
}

const pointerOf = ({ section, member }: NamedKey): string => `/values/${section}/${member}`;

const at =
  (prefix: string) =>
  ({ pointer, detail }: FieldProblem): FieldProblem => ({ pointer: `${prefix}${pointer}`, detail });

/** A name of unusual form may be a misplaced secret, so it is not repeated in the answer. */
const stepTo = (pointer: string, name: string): string => (NAME.test(name) ? `${pointer}/${name}` : pointer);
