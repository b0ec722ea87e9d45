import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'updates',
    'show which versions run and ran, and what was done to the schemas',
    'claviger updates',
  );
  withConnectionOptions(command).action(async (options: ConnectionOptions) =>
    (await import('../people/updates.ts')).updatesStatus(options),
  );
}
