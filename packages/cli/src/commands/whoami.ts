import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'whoami',
    'show who is signed in, where, and what they may do',
    'claviger whoami -o json',
  );
  withConnectionOptions(command).action(async (options: ConnectionOptions) => {
    const { whoami } = await import('../people/whoami.ts');
    await whoami(options);
  });
}
