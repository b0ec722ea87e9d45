import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Noun, Verb } from './contract/noun.ts';

/** Exports of a file in `commands/`: a hand-written command, or a verb of the contract. */
interface CommandFile {
  readonly register?: (program: Command) => void;
  readonly command?: Verb;
}

/** Services whose operations have hand-written commands. */
export const BY_HAND: Noun = {
  about: '',
  services: ['AuthService', 'AssistantService', 'ExplanationsService', 'UpdatesService'],
  verbs: {},
};

/**
 * Creates the program. Each file in `commands/` or `nouns/` is the command of its name. If the first argument
 * names a command, only its file is loaded. `--help` loads all files; an unknown command also loads the nouns
 * derived from the contract.
 */
export async function createProgram(args: readonly string[] = []): Promise<Command> {
  const program = new Command('claviger')
    .description(
      'Claviger stores privileged credentials, grants access on approval, and proves who has seen what.',
    )
    .exitOverride()
    .showHelpAfterError('(claviger --help lists the commands)')
    .addHelpText(
      'after',
      `
Exit codes: 0 ok, 1 error, 2 usage, 3 denied, 4 pending, 5 not found, 6 conflict, 7 sealed`,
    );
  const files = await commandFiles();
  const [wanted = ''] = args;
  if (files.has(wanted)) await add(program, wanted, files.get(wanted)!, true);
  else await addAll(program, files, !/^(-h|--help)?$/.test(wanted));
  return program;
}

/** Folder of each command. */
async function commandFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const folder of ['commands', 'nouns'])
    for (const name of await readdir(join(import.meta.dirname, folder)))
      if (name.endsWith('.ts') && !name.endsWith('.test.ts')) files.set(name.slice(0, -'.ts'.length), folder);
  return new Map([...files].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** `whole`: with its verbs; otherwise only name and description, for the list of commands. */
async function add(
  program: Command,
  name: string,
  folder: string,
  whole: boolean,
): Promise<Noun | undefined> {
  const file = (await import(join(import.meta.dirname, folder, `${name}.ts`))) as CommandFile & {
    noun?: Noun;
  };
  if (file.register !== undefined) file.register(program);
  else {
    const { noun, command } = file;
    const shortcuts = Object.entries(noun?.shortcuts ?? {});
    if (!whole) {
      program.command(name).description(noun?.about ?? command?.about ?? '');
      for (const [shortcut, { about = '' }] of shortcuts) program.command(shortcut).description(about);
      return noun;
    }
    const { registerNoun, registerVerb } = await import('./contract/register.ts');
    if (command !== undefined) registerVerb(program, name, command);
    if (noun !== undefined) await registerNoun(program, name, noun);
    for (const [shortcut, verb] of shortcuts) registerVerb(program, shortcut, verb, noun);
    return noun;
  }
  return undefined;
}

async function addAll(program: Command, files: ReadonlyMap<string, string>, whole: boolean): Promise<void> {
  const nouns: Noun[] = [BY_HAND];
  for (const [name, folder] of files) {
    const noun = await add(program, name, folder, whole);
    if (noun !== undefined) nouns.push(noun);
  }
  if (!whole) return;
  const { derivedNouns } = await import('./contract/derived-verbs.ts');
  const { registerNoun } = await import('./contract/register.ts');
  for (const [name, noun] of derivedNouns(nouns)) await registerNoun(program, name, noun);
}
