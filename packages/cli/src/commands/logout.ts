import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'logout',
    'end the session, at the server and here',
    'claviger logout',
  );
  withConnectionOptions(command).action(async (options: ConnectionOptions) => {
    const { logout } = await import('../people/login.ts');
    await logout(options);
  });
}
