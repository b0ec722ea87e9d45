import type { FieldInfo, MethodInfo } from '@claviger/contracts';
import { positive, several, whole } from '@claviger/terminal/command-options';
import { Option } from 'commander';
import { kindOf } from './names.ts';
import type { Verb } from './noun.ts';
import { firstSentence, kebab, singular, toReader } from './texts.ts';

/** Fields that have no option of their own: paging, order, versions, and what the command itself computes. */
const WITHOUT_OPTION = new Set([
  'page',
  'pageSize',
  'limit',
  'cursor',
  'sortBy',
  'sortOrder',
  'rowVersion',
  'updateMask',
  'digest',
  'replaceTags',
]);

/** A field of the request and the options that give it. */
export interface Flag {
  readonly field: FieldInfo;
  readonly options: readonly Option[];
}

/** Parses `--for <duration>!=2m  how long`: flag, `!` if mandatory, default, description. */
export function parseFlag(text: string): { flag: string; mandatory: boolean; preset?: string; says: string } {
  const [, flag = '', mark = '', preset, says = ''] =
    /^(--[a-z-]+(?: <[^>]+>(?:\.\.\.)?)?)(!?)(?:=(\S+))?(?: {2}(.*))?$/s.exec(text) ?? [];
  if (flag === '') throw new Error(`"${text}" is no flag`);
  return { flag, mandatory: mark === '!', ...(preset === undefined ? {} : { preset }), says };
}

/** Units of durations in the contract. */
export const UNITS: readonly (readonly [suffix: RegExp, seconds: number])[] = [
  [/Minutes$/, 60],
  [/Hours$/, 3_600],
  [/Seconds$/, 1],
  [/Days$/, 86_400],
];

/** Flags of an operation's request, except fields that are given as words. */
export function flagsOf(info: MethodInfo, verb: Verb, words: readonly string[]): Flag[] {
  const inPath = new Set([...(info.http[0]?.path.matchAll(/\{(\w+)\}/g) ?? [])].map((match) => match[1]));
  return info.request.fields
    .filter(
      ({ property, jsonName, protoName }) =>
        !WITHOUT_OPTION.has(jsonName) && !words.includes(property) && !inPath.has(protoName),
    )
    .filter(({ property }) => verb.flags?.[property] !== false && !(property in (verb.fixed ?? {})))
    .filter(({ property }) => !(verb.bare || verb.fixed || verb.file) || verb.flags?.[property] !== undefined)
    .map((field) => ({
      field,
      options: optionsOf(field, verb.flags?.[field.property] || '', info.name),
    }));
}

/** Whether an operation changes only the given fields. */
export const isChange = (operation: string) => /^(Update|Patch)/.test(operation);

function optionsOf(field: FieldInfo, said: string, operation: string): Option[] {
  const own = said.startsWith('--') ? parseFlag(said) : undefined;
  const bare = kindOf(field.property) === undefined ? field.property : field.property.replace(/Ids?$/, '');
  const isDuration = field.kind === 'integer' && UNITS.some(([suffix]) => suffix.test(bare));
  const plain = isDuration ? bare.replace(/[A-Z][a-z]+$/, '').replace(/^duration$/, 'for') : bare;
  const name = kebab(field.repeated && field.kind !== 'message' ? singular(plain) : plain);
  const mandatory = own?.mandatory || (own === undefined && field.rules?.required);
  const flag =
    own?.flag ??
    `--${name}${field.public || field.kind !== 'string' ? '' : '-file'}${placeholderOf(field, name)}`;
  const choices = /<(\w+\|[\w|]+)>/.exec(flag)?.[1]?.split('|') ?? field.rules?.allowed ?? [];
  const about = own?.says || (own === undefined && said) || aboutOf(field, name, operation);
  const form = flag.includes('<duration>') && 'such as 30m, 2h or 1d';
  const marks = [about, form, field.repeated && 'may be given several times', mandatory && 'mandatory'];
  const option = new Option(flag, marks.filter(Boolean).join('; '));
  const mayBeZero = own === undefined && field.rules?.hasRange && field.rules.minimum === 0;
  if (field.kind === 'integer' && !flag.includes('duration')) option.argParser(mayBeZero ? whole : positive);
  else if (field.repeated && field.kind !== 'message') option.argParser(several);
  else if (choices.length > 0 && field.kind !== 'message') option.choices([...choices]);
  if (mandatory) option.makeOptionMandatory();
  if (own?.preset !== undefined) option.default(own.preset);
  const long = flag.split(' ')[0]!;
  const isSwitch = field.kind === 'bool' && field.optional && !flag.includes('<');
  const no = (says: string) => [option, new Option(long.replace('--', '--no-'), says)];
  if (isSwitch) return no(`the opposite of ${long}`);
  const mayBeNone = isChange(operation) && field.optional && field.rules?.nullable;
  return mayBeNone ? no(`none, in place of ${long}`) : [option];
}

function placeholderOf(
  { kind, jsonName, repeated, rules, public: isPublic }: FieldInfo,
  name: string,
): string {
  if (kind === 'bool') return '';
  if (kind === 'struct' || kind === 'message' || !isPublic) return ' <file>';
  if (kind === 'integer' || kind === 'double')
    return UNITS.some(([suffix]) => suffix.test(jsonName)) ? ' <duration>' : ' <n>';
  if (kind === 'timestamp' || rules?.format === 'date-or-time') return ' <time>';
  return kindOf(jsonName) === undefined && !repeated && !rules?.allowed.length
    ? ' <text>'
    : ` <${name.split('-').at(-1)}>`;
}

/** Description of a field in the help: the first sentence of its comment, and how it is given. */
function aboutOf(field: FieldInfo, name: string, operation: string): string {
  const { comment, kind, jsonName } = field;
  const filter = operation.startsWith('List') ? `only those with this ${name.replaceAll('-', ' ')}` : '';
  let how = kindOf(jsonName) && 'by name or id';
  if (kind === 'string' && !field.public) how = 'file that contains it; - for standard input';
  if (kind === 'struct' || kind === 'message') how = 'JSON file';
  return [toReader(firstSentence(comment)) || filter, how].filter(Boolean).join('; ');
}

/** Whether the answer contains secrets that a terminal shows only with `--show`. */
export const showsSecrets = ({ policy }: MethodInfo, { secret, line, fields, quiet }: Verb): boolean =>
  policy?.discloses === true && (secret ?? line ?? fields ?? quiet) === undefined;
