import { type Command, Option } from 'commander';
import { nounCommand, peopleCommand, withConnectionOptions, withPaging } from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type { SoftwareFields, SoftwareListOptions } from '../people/software-policy.ts';

const work = () => import('../people/software-policy.ts');

const listOption = (description: string) =>
  new Option('--list <list>', description).choices(['allow', 'deny']);

export function register(program: Command): void {
  const noun = nounCommand(
    program,
    'software-policy',
    'known software, allowed or denied before any rule is asked',
  );
  const list = peopleCommand(noun, 'list', 'list what is known', 'claviger software-policy list --list deny')
    .option('--search <text>', 'only those with this in their name')
    .addOption(listOption('only those of this list'));
  withConnectionOptions(withPaging(list)).action(async (options: SoftwareListOptions) =>
    (await work()).listSoftware(options),
  );
  const add = peopleCommand(
    noun,
    'add <name>',
    'put software on a list; all the conditions given must hold',
    'claviger software-policy add "Mozilla installers" --list allow --signer "Mozilla Corporation"',
  ).addOption(listOption('which').makeOptionMandatory());
  withConnectionOptions(withConditions(add)).action(async (name: string, options: SoftwareFields) =>
    (await work()).addSoftware(name, options),
  );
  const update = peopleCommand(
    noun,
    'update <entry>',
    'change what is given, by name or id',
    'claviger software-policy update "Mozilla installers" --no-signer --path "C:\\Mozilla\\*.exe"',
  )
    .option('--name <name>', 'new name')
    .addOption(listOption('the other list'));
  withConditions(update)
    .option('--no-signer', 'whoever signed it')
    .option('--no-hash', 'whatever its content')
    .option('--no-path', 'wherever it lies')
    .option('--no-site', 'on every site');
  withConnectionOptions(update).action(async (entry: string, options: SoftwareFields) =>
    (await work()).updateSoftware(entry, options),
  );
  const coSign = peopleCommand(
    noun,
    'co-sign <entry>',
    'agree to an entry that somebody else wrote, as it is now',
    'claviger software-policy co-sign "Mozilla installers"',
  );
  withConnectionOptions(coSign).action(async (entry: string, options: ConnectionOptions) =>
    (await work()).coSignSoftware(entry, options),
  );
  const remove = peopleCommand(
    noun,
    'delete <entry>',
    'take it off the list',
    'claviger software-policy delete "Mozilla installers"',
  ).alias('remove');
  withConnectionOptions(remove).action(async (entry: string, options: ConnectionOptions) =>
    (await work()).deleteSoftware(entry, options),
  );
}

function withConditions(command: Command): Command {
  return command
    .option('--signer <name>', 'who signed it, letter for letter')
    .option('--hash <sha256>', 'SHA-256 of the program')
    .option('--path <pattern>', 'where it lies; * and ? stand for anything')
    .option('--site <site>', 'only on this site, by name or id')
    .addOption(new Option('--state <state>', 'whether it counts').choices(['on', 'off']));
}
