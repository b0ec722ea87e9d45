import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { DenyOptions } from '../people/decide.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'deny <request-id>',
    'deny a request',
    'claviger deny 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --comment "use the replica"',
  ).option('--comment <text>', 'why; the requester and auditors read it');
  withConnectionOptions(command).action(async (requestId: string, options: DenyOptions) => {
    const { deny } = await import('../people/decide.ts');
    await deny(requestId, options);
  });
}
