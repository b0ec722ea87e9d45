import { type Command, Option } from 'commander';
import { peopleCommand, withConnectionOptions, withPaging } from '../people/command-options.ts';
import type { GrantListOptions } from '../people/grants.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'grants',
    'list grants: your own, or all with the permission for it',
    'claviger grants --status active',
  ).addOption(
    new Option('--status <status>', 'only these').choices([
      'activating',
      'active',
      'expired',
      'revoked',
      'failed',
    ]),
  );
  withConnectionOptions(withPaging(command)).action(async (options: GrantListOptions) => {
    const { listGrants } = await import('../people/grants.ts');
    await listGrants(options);
  });
}
