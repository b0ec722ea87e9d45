import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { RevokeOptions } from '../people/grants.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'revoke <grant-id>',
    'end a grant at once; what was shown under it is rotated',
    'claviger revoke 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --reason "done early"',
  ).requiredOption('--reason <text>', 'why; auditors read it');
  withConnectionOptions(command).action(async (grantId: string, options: RevokeOptions) => {
    const { revokeGrant } = await import('../people/grants.ts');
    await revokeGrant(grantId, options);
  });
}
