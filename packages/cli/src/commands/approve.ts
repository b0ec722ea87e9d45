import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { ApproveOptions } from '../people/decide.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'approve <request-id>',
    'approve a request of somebody else, for its time or a shorter one',
    'claviger approve 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --for 15m',
  )
    .option('--for <duration>', 'grant a shorter time than was asked for')
    .option('--comment <text>', 'what the requester and auditors read');
  withConnectionOptions(command).action(async (requestId: string, options: ApproveOptions) => {
    const { approve } = await import('../people/decide.ts');
    await approve(requestId, options);
  });
}
