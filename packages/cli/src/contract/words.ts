import type { MethodInfo } from '@claviger/contracts';
import { kindOf } from './names.ts';
import type { Noun, Verb } from './noun.ts';
import { kebab, singular } from './texts.ts';

/** A word after the verb, and the field that it sets. */
export interface Word {
  readonly property: string;
  readonly usage: string;
  /** Kind of object that it names, e.g. `entry`. */
  readonly kind?: string;
}

const NAMES = ['name', 'username', 'hostname'];

/** Words of a verb: the declared ones, otherwise the parameters of its path and the name of a new object. */
export function wordsOf(info: MethodInfo, verb: Verb, noun: Pick<Noun, 'id'> | undefined): Word[] {
  const inPath = [...(info.http[0]?.path.matchAll(/\{(\w+)\}/g) ?? [])].map((match) => match[1]!);
  const isNew = /^(Create|Enrol)/.test(info.name) && verb.file === undefined;
  const derived = info.request.fields.filter(
    ({ protoName, property, rules }) =>
      inPath.includes(protoName) || (isNew && rules?.required && NAMES.includes(property)),
  );
  const declared = (verb.words ?? derived.map(({ property }) => property).join(' '))
    .split(' ')
    .filter((word) => word !== '');
  return declared.map((word) => {
    const [, property = '', mark = ''] = /^(\w+)([?]|\.\.\.)?$/.exec(word) ?? [];
    const kind = property === 'id' ? noun?.id : kindOf(property);
    const ofKind = property === 'id' ? (noun?.id ?? 'id') : property.replace(/Ids?$/, '');
    const label = kebab(kind === undefined ? property : ofKind);
    const name = mark === '...' ? `${singular(label)}...` : label;
    return {
      property,
      usage: mark === '' ? `<${name}>` : `[${name}]`,
      ...(kind === undefined ? {} : { kind }),
    };
  });
}
