import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { Command } from 'commander';
import { type OperatorOptions, operatorRequest, withOperatorOptions } from '../operator-options.ts';

interface FinishOptions extends OperatorOptions {
  readonly keepApiTokens?: boolean;
  readonly keepAgentTokens?: boolean;
  readonly yes?: boolean;
}

export function register(program: Command): void {
  const restore = program
    .command('restore')
    .description('finish a restore: end access that may have ended after the backup of a restored database');
  withOperatorOptions(restore.command('status'))
    .description('show the restore epoch of each service, and whether it refuses to serve')
    .addHelpText('after', '\nExample:\n  claviger restore status')
    .action(async (options: OperatorOptions) => {
      const { restoreStatus } = await import('../restore.ts');
      process.exitCode = await restoreStatus(operatorRequest(options));
    });
  withOperatorOptions(restore.command('finish'))
    .description(
      'end sessions, tokens, one-time credentials, recovery codes, links, grants, leases and claims of every tenant, then serve again',
    )
    .option('--yes', 'confirm; nothing is changed without it')
    .option('--keep-api-tokens', 'keep API tokens valid: none was revoked since the backup')
    .option(
      '--keep-agent-tokens',
      'keep the tokens of device agents valid: none was revoked since the backup',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  claviger restore finish --yes\n  claviger restore finish --yes --keep-agent-tokens --json',
    )
    .action(async (options: FinishOptions) => {
      if (!options.yes)
        throw new CommandError(
          'this signs out all users of all tenants and ends their grants: add --yes to confirm',
          EXIT.usage,
        );
      const { finishRestore } = await import('../restore.ts');
      process.exitCode = await finishRestore({
        ...operatorRequest(options),
        keepApiTokens: options.keepApiTokens ?? false,
        keepAgentTokens: options.keepAgentTokens ?? false,
      });
    });
}
