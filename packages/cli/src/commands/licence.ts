import type { Command } from 'commander';
import { nounCommand, peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';

const work = () => import('../people/licence.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'licence', 'the licence in force; everything works without one');
  const show = peopleCommand(noun, 'show', 'show owner, limits and support', 'claviger licence show');
  withConnectionOptions(show).action(async (options: ConnectionOptions) =>
    (await work()).showLicence(options),
  );
  const apply = peopleCommand(
    noun,
    'apply <file>',
    'put a licence in force, as the vendor sent it',
    'claviger licence apply licence.txt',
  );
  withConnectionOptions(apply).action(async (file: string, options: ConnectionOptions) =>
    (await work()).applyLicence(file, options),
  );
}
