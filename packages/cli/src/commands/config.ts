import type { Command } from 'commander';
import {
  type ListOptions,
  nounCommand,
  peopleCommand,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { SetOptions } from '../people/config.ts';
import type { ConnectionOptions } from '../people/connection.ts';

const work = () => import('../people/config.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'config', 'settings that take effect while Claviger runs');
  const get = peopleCommand(
    noun,
    'get [key]',
    'show all settings, one section or one setting',
    'claviger config get access.maximumGrantMinutes',
  );
  withConnectionOptions(get).action(async (key: string | undefined, options: ConnectionOptions) =>
    (await work()).getConfig(key, options),
  );
  const set = peopleCommand(
    noun,
    'set [assignments...]',
    'change settings, as KEY=VALUE; null goes back to the default',
    'claviger config set access.maximumGrantMinutes=480 --reason "shorter visits"',
  )
    .option('--file <file>', 'a JSON document of settings, such as `config get -o json` prints')
    .option('--value-file <file>', 'the value of one KEY, e.g. a secret, is what the file holds')
    .option('--reason <text>', 'why, for the history and the audit log')
    .option('--code-stdin', 'read the code of the second factor from standard input');
  withConnectionOptions(set).action(async (assignments: string[], options: SetOptions) =>
    (await work()).setConfig(assignments, options),
  );
  const history = peopleCommand(
    noun,
    'history',
    'list who changed what, when and why',
    'claviger config history',
  );
  withConnectionOptions(withPaging(history)).action(async (options: ConnectionOptions & ListOptions) =>
    (await work()).configHistory(options),
  );
  const diff = peopleCommand(
    noun,
    'diff <version>',
    'show what one version changed',
    'claviger config diff 3',
  );
  withConnectionOptions(diff).action(async (version: string, options: ConnectionOptions) =>
    (await work()).configDiff(version, options),
  );
}
