import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Noun, Verb } from './contract/noun.ts';

/** Services whose operations have hand-written commands. */
export const BY_HAND: Noun = {
  about: '',
  services: ['AuthService', 'AssistantService', 'ExplanationsService', 'UpdatesService'],
  verbs: {},
};

/**
 * Creates the program. Each file in `commands/` or `nouns/` is the command of its name; other packages own
 * some. If the first argument names a command, only its file is loaded. `--help` loads all files; an unknown
 * command also loads the nouns derived from the contract.
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
  // Set last, so that commands do not inherit it: their verbs have an order of their own.
  return program.configureHelp({ sortSubcommands: true });
}

/** Exports of the file of a command: it registers itself, or is a noun or a verb of the contract. */
interface CommandFile {
  readonly register?: (program: Command) => void;
  readonly noun?: Noun;
  readonly command?: Verb;
}

type Load = () => Promise<CommandFile>;

/** Commands that belong to the package which does their work. */
const OF_PACKAGES: Readonly<Record<string, Load>> = {
  agent: () => import('@claviger/device-agent/commands/agent'),
  'bootstrap-admin': () => import('@claviger/operator/commands/bootstrap-admin'),
  check: () => import('@claviger/test-runner/commands/check'),
  demo: () => import('@claviger/demo/commands/demo'),
  doctor: () => import('@claviger/operator/commands/doctor'),
  down: () => import('@claviger/operator/commands/down'),
  restore: () => import('@claviger/operator/commands/restore'),
  seal: () => import('@claviger/operator/commands/seal'),
  status: () => import('@claviger/operator/commands/status'),
  test: () => import('@claviger/test-runner/commands/test'),
  'unlock-admin': () => import('@claviger/operator/commands/unlock-admin'),
  unseal: () => import('@claviger/operator/commands/unseal'),
  up: () => import('@claviger/operator/commands/up'),
};

/** The file of each command, by name, in alphabetical order. */
async function commandFiles(): Promise<Map<string, Load>> {
  const files = new Map(Object.entries(OF_PACKAGES));
  for (const folder of ['commands', 'nouns'])
    for (const name of await readdir(join(import.meta.dirname, folder)))
      if (name.endsWith('.ts') && !name.endsWith('.test.ts'))
        files.set(name.slice(0, -'.ts'.length), () => import(join(import.meta.dirname, folder, name)));
  return new Map([...files].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** `whole`: with its verbs; otherwise only name and description, for the list of commands. */
async function add(program: Command, name: string, load: Load, whole: boolean): Promise<Noun | undefined> {
  const { register, noun, command } = await load();
  if (register !== undefined) register(program);
  const shortcuts = Object.entries(noun?.shortcuts ?? {});
  const verbs = command === undefined ? shortcuts : [[name, command] as const, ...shortcuts];
  if (!whole) {
    if (noun !== undefined) program.command(name).description(noun.about);
    for (const [verb, { about = '' }] of verbs) program.command(verb).description(about);
  } else if (register === undefined) {
    const { registerNoun, registerVerb } = await import('./contract/register.ts');
    if (noun !== undefined) await registerNoun(program, name, noun);
    for (const [verb, says] of verbs) registerVerb(program, verb, says, noun);
  }
  return noun;
}

async function addAll(program: Command, files: ReadonlyMap<string, Load>, whole: boolean): Promise<void> {
  const nouns: Noun[] = [BY_HAND];
  for (const [name, load] of files) {
    const noun = await add(program, name, load, whole);
    if (noun !== undefined) nouns.push(noun);
  }
  if (!whole) return;
  const { derivedNouns } = await import('./contract/derived-verbs.ts');
  const { registerNoun } = await import('./contract/register.ts');
  for (const [name, noun] of derivedNouns(nouns)) await registerNoun(program, name, noun);
}
