import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'cancel <request-id>',
    'take back your own pending request',
    'claviger cancel 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11',
  );
  withConnectionOptions(command).action(async (requestId: string, options: ConnectionOptions) => {
    const { cancel } = await import('../people/decide.ts');
    await cancel(requestId, options);
  });
}
