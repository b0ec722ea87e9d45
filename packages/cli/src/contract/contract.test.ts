import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { operation, operations } from '@claviger/api-client/operations';
import { type MessageInfo, methods } from '@claviger/contracts';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { BY_HAND, createProgram } from '../program.ts';
import { expressionsOf, pathsOf } from './cells.ts';
import { derivedNouns, derivedVerbs } from './derived-verbs.ts';
import type { Column, Noun, Verb } from './noun.ts';
import { firstSentence } from './texts.ts';

const folder = join(import.meta.dirname, '../nouns');
const nouns = await Promise.all(
  readdirSync(folder).map(async (name) => ((await import(join(folder, name))) as { noun: Noun }).noun),
);
const withInner = (noun: Noun): Noun[] => [noun, ...Object.values(noun.nouns ?? {}).flatMap(withInner)];
const all = nouns.flatMap(withInner);
const verbsOf = (noun: Noun): Verb[] => [
  ...(noun.own ? [noun.own] : []),
  ...Object.values({ ...noun.verbs, ...noun.shortcuts }),
];

const messages = new Map<string, MessageInfo>();
const collect = (info: MessageInfo): void => {
  const name = info.name.split('.').at(-1)!;
  if (messages.has(name)) return;
  messages.set(name, info);
  for (const { message } of info.fields) if (message) collect(message);
};
for (const { response } of methods.values()) collect(response);

/** What an expression reads that the message does not have. */
function unknownPaths(info: MessageInfo, columns: readonly Column[]): string[] {
  return expressionsOf(columns)
    .flatMap(pathsOf)
    .filter((path) => path !== '' && !/\.\d+$/.test(path))
    .filter((path) => {
      let at: MessageInfo | undefined = info;
      for (const name of path.split('.')) {
        const field: MessageInfo['fields'][number] | undefined = at?.fields.find(
          ({ property }) => property === name,
        );
        if (field === undefined) return true;
        at = field.message;
      }
      return false;
    })
    .map((path) => `${info.name}: ${path}`);
}

test('columns and lines read only what the contract has', () => {
  const unknown = all.flatMap(({ views = {} }) =>
    Object.entries(views).flatMap(([name, { columns = [], fields = [] }]) => {
      const info = messages.get(name);
      if (info === undefined) return [`there is no message ${name}`];
      // `prompts` is computed by `devices show`.
      return unknownPaths(info, [...columns, ...(typeof fields === 'function' ? [] : fields)]).filter(
        (path) => !path.endsWith('Device: prompts'),
      );
    }),
  );
  expect(unknown).toEqual([]);
});

test('verbs name only operations and fields that the contract has', () => {
  const unknown = all.flatMap((noun) =>
    verbsOf(noun).flatMap(({ call, flags = {}, fixed = {} }) => {
      const known = operation(call).request.fields.map(({ property }) => property);
      return [...Object.keys(flags), ...Object.keys(fixed)]
        .filter((property) => !known.includes(property))
        .map((property) => `${call}: ${property}`);
    }),
  );
  expect(unknown).toEqual([]);
  for (const name of all.flatMap(({ elsewhere = [] }) => elsewhere)) operation(name);
});

const everyCommand = (command: Command): Command[] =>
  command.commands.flatMap((each) => [each, ...everyCommand(each)]);

test('every operation of the REST API has a command, and every command an example', async () => {
  const commands = everyCommand(await createProgram(['all commands']));
  const served = new Set([
    ...all.flatMap((noun) => [
      ...verbsOf(noun).map(({ call }) => call),
      ...Object.values(derivedVerbs(noun)).map(({ call }) => call),
      ...(noun.elsewhere ?? []),
    ]),
  ]);
  const missing = [...operations.values()].filter(
    ({ name, service }) => !served.has(name) && !BY_HAND.services.includes(service.split('.').at(-1)!),
  );
  expect(missing.map(({ name }) => name)).toEqual([]);
  const bare = commands.filter((command) => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    return (
      command.commands.length === 0 &&
      command.name() !== 'complete-words' &&
      !/\nExamples?:\n {2}\S/.test(help)
    );
  });
  expect(bare.map((command) => command.name())).toEqual([]);
});

test('every service has a noun, so that the list of commands names it', () => {
  const unnamed = [...derivedNouns([...nouns, BY_HAND]).keys()];
  expect(unnamed, 'Add packages/cli/src/nouns/NAME.ts with its services.').toEqual([]);
});

test('no secret of a request is taken from the arguments', async () => {
  const commands = everyCommand(await createProgram(['all commands']));
  const secrets = [...operations.values()].flatMap(({ request }) =>
    request.fields
      .filter((field) => field.kind === 'string' && !field.public)
      .map(({ property }) => property),
  );
  const named = new Set(
    secrets.map((property) => `--${property.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`),
  );
  const taken = commands.flatMap((command) =>
    command.options
      .filter(({ long, required }) => required && named.has(long ?? ''))
      .map(({ flags }) => `${command.name()} ${flags}`),
  );
  expect(taken).toEqual([]);
});

test('comments of operations begin with their only verb, so that the help can say it in the imperative', () => {
  const commented = [...operations.values()].filter(({ comment }) => comment !== '');
  const unsuited = commented.filter(({ comment }) => {
    const [first = '', ...words] = firstSentence(comment).split(' ');
    return (
      !/^[A-Z][a-z-]*s$/.test(first) || /\b(and|or|then) [a-z]+s (the|an?|its|their)\b/.test(words.join(' '))
    );
  });
  expect(unsuited.map(({ name, comment }) => `${name}: ${comment}`)).toEqual([]);
});
