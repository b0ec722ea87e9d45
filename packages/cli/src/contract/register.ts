import { operation } from '@claviger/api-client/operations';
import {
  nounCommand,
  peopleCommand,
  positive,
  several,
  withConnectionOptions,
  withPaging,
} from '@claviger/terminal/command-options';
import { type Command, Option } from 'commander';
import { derivedVerbs } from './derived-verbs.ts';
import { type Flag, flagsOf, isChange, parseFlag, showsSecrets } from './flags.ts';
import { rowsOf } from './lists.ts';
import type { Noun, Verb } from './noun.ts';
import { aboutOperation, firstSentence } from './texts.ts';
import { type Word, wordsOf } from './words.ts';

/** Adds a noun with its verbs: those of its file, then those derived from the contract. */
export async function registerNoun(parent: Command, name: string, noun: Noun): Promise<void> {
  const command =
    noun.own === undefined
      ? nounCommand(parent, name, noun.about)
      : registerVerb(parent, name, { about: noun.about, ...noun.own }, noun);
  if (noun.alias !== undefined) command.alias(noun.alias);
  await noun.flows?.(command);
  const verbs = Object.entries({ ...noun.verbs, ...derivedVerbs(noun) });
  for (const [verb, says] of verbs.sort(([left], [right]) => placeOf(left) - placeOf(right)))
    registerVerb(command, verb, says, noun);
  for (const [inner, says] of Object.entries(noun.nouns ?? {}))
    await registerNoun(command, inner, { ...says, views: { ...noun.views, ...says.views } });
}

const FIRST = ['list', 'show', 'create', 'add', 'update', 'delete'];
/** The verbs that most nouns have stand first in the help. */
const placeOf = (verb: string) => (FIRST.includes(verb) ? FIRST.indexOf(verb) : FIRST.length);

/** Adds a verb: its words, flags and help come from its operation, unless the verb says otherwise. */
export function registerVerb(parent: Command, name: string, verb: Verb, noun?: Noun): Command {
  const info = operation(verb.call);
  const words = wordsOf(info, verb, noun);
  const flags = flagsOf(
    info,
    verb,
    words.map(({ property }) => property),
  );
  const usage = [name, ...words.map((word) => word.usage)].join(' ');
  const about = verb.about ?? aboutOperation(info);
  const path = [...ancestry(parent), name].join(' ');
  const example = verb.example ?? exampleOf(path, words, flags, noun, isChange(info.name));
  const command = peopleCommand(parent, usage, about, `claviger ${example}`, {
    isDefault: verb.isDefault ?? false,
  }).summary(firstSentence(about));
  if (verb.alias !== undefined) command.alias(verb.alias);
  if (verb.file !== undefined)
    command.addOption(
      new Option('--file <file>', verb.file).makeOptionMandatory(verb.fileIsOptional !== true),
    );
  if (verb.save !== undefined) command.option('--save <file>', 'write it to a new file');
  for (const { options } of flags) for (const option of options) command.addOption(option);
  for (const text of verb.options ?? []) addOption(command, text);
  if (showsSecrets(info, verb)) command.option('--show', 'print secrets on the terminal');
  if (verb.secret !== undefined)
    command
      .option('--show', 'print the secret on the terminal')
      .option('--output-file <file>', 'write the secret to a new file that only you can read');
  if (verb.secret === 'secret')
    command.option(
      '--receipt-file <file>',
      'write the receipt to a file, for `claviger audit verify --receipt`',
    );
  if (verb.code || info.policy?.stepUp)
    command.option(
      '--code-stdin',
      'read the code of your second factor from standard input; otherwise the terminal asks for it',
    );
  if (verb.confirm !== undefined || info.http[0]!.method === 'DELETE')
    command.option('--yes', 'do not ask for confirmation');
  const rows = rowsOf(info.response);
  if (rows !== undefined) {
    withPaging(command);
    const orders = info.request.byJsonName.get('sortBy')?.rules?.allowed ?? [];
    if (orders.length > 0)
      command
        .addOption(new Option('--sort <field>', 'sort by this field').choices([...orders]))
        .option('--descending', 'reverse the order');
  }
  return withConnectionOptions(command).action(async (...given: unknown[]) => {
    const { runVerb } = await import('./run-verb.ts');
    const options = command.opts();
    await runVerb(
      { name, path, noun, verb, info, words, flags },
      given.slice(0, words.length) as string[],
      options,
    );
  });
}

/** `--wait  wait until it has ended`: an option that is no field of the request. */
function addOption(command: Command, text: string): void {
  const { flag, mandatory, preset, says } = parseFlag(text);
  const option = new Option(flag, says);
  const choices = /<(\w+\|[\w|]+)>/.exec(flag)?.[1]?.split('|');
  if (choices !== undefined) option.choices(choices);
  if (/<n>|<hours>/.test(flag)) option.argParser(positive);
  if (flag.endsWith('...')) option.argParser(several);
  if (preset !== undefined) option.default(preset);
  if (mandatory) option.makeOptionMandatory();
  command.addOption(option);
}

function ancestry(command: Command): string[] {
  return command.parent === null ? [] : [...ancestry(command.parent), command.name()];
}

/** An example: a sample of each word, and the mandatory options; one option at least, if it needs one. */
function exampleOf(
  path: string,
  words: readonly Word[],
  flags: readonly Flag[],
  noun: Noun | undefined,
  needsOption: boolean,
): string {
  const sampleOf = ({ property, kind, usage }: Word): string => {
    const isName = kind !== undefined || /^(user|host)?name$/.test(property);
    if (isName && noun?.sample !== undefined) return noun.sample;
    return /(^id|Id)$/.test(property) ? SAMPLE_ID : usage.replaceAll(/[[\]<>.]/g, '').toUpperCase();
  };
  const given = flags
    .map(({ options: [option] }) => option!)
    .filter(
      ({ mandatory, defaultValue }, index) =>
        (mandatory && defaultValue === undefined) || (needsOption && index === 0),
    )
    .map(({ flags: text }) => text.replace(/<(.+)>/, (_, value: string) => value.toUpperCase()));
  return [path, ...words.map(sampleOf), ...given].join(' ');
}

const SAMPLE_ID = '0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11';
