import { type Command, Option } from 'commander';
import { peopleCommand, withConnectionOptions, withPaging } from '../people/command-options.ts';
import type { RequestListOptions } from '../people/list-requests.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'requests',
    'list requests: your own, and those you may decide',
    'claviger requests --decidable',
  )
    .addOption(
      new Option('--status <status>', 'only these').choices([
        'pending',
        'approved',
        'denied',
        'cancelled',
        'expired',
      ]),
    )
    .option('--decidable', 'only those that you could decide now')
    .option('--search <text>', 'only those that name this');
  withConnectionOptions(withPaging(command)).action(async (options: RequestListOptions) => {
    const { listRequests } = await import('../people/list-requests.ts');
    await listRequests(options);
  });
}
