import { type Command, Option } from 'commander';
import { nounCommand, peopleCommand, withConnectionOptions, withPaging } from '../people/command-options.ts';
import type { ModuleCreateOptions, ModuleListOptions, ModuleTestOptions } from '../people/modules.ts';

const work = () => import('../people/modules.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'modules', 'the connectors that reach the systems');
  const list = peopleCommand(noun, 'list', 'list modules', 'claviger modules list').option(
    '--search <text>',
    'only those that name this',
  );
  withConnectionOptions(withPaging(list)).action(async (options: ModuleListOptions) =>
    (await work()).listModules(options),
  );
  const create = peopleCommand(
    noun,
    'create <name>',
    'set up a connector and what it may reach',
    'claviger modules create pg --type postgres --config module.json',
  )
    .addOption(
      new Option('--type <type>', 'which connector')
        .choices(['http', 'ldap', 'mysql', 'postgres', 'ssh'])
        .makeOptionMandatory(),
    )
    .requiredOption(
      '--config <file>',
      'JSON: the addresses and ports that it may reach, and its defaults; no secrets',
    );
  withConnectionOptions(create).action(async (name: string, options: ModuleCreateOptions) =>
    (await work()).createModule(name, options),
  );
  const test = peopleCommand(
    noun,
    'test <module>',
    'connect to a resource of the module and say what happened',
    'claviger modules test pg --resource db-prod',
  ).option('--resource <resource>', 'a resource of the module, by name or id');
  withConnectionOptions(test).action(async (module: string, options: ModuleTestOptions) => {
    process.exitCode = await (await work()).testModule(module, options);
  });
}
