import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'why <request>',
    'why a request was decided as it was: for access, or for elevation',
    'claviger why 0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11',
  );
  withConnectionOptions(command).action(async (request: string, options: ConnectionOptions) => {
    const { why } = await import('../people/why.ts');
    await why(request, options);
  });
}
