import { operatorConfigOf } from '@claviger/installation/host-settings';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { Command } from 'commander';

interface RestoreOptions {
  readonly operatorConfig?: string;
  readonly json?: boolean;
}

interface FinishOptions extends RestoreOptions {
  readonly keepApiTokens?: boolean;
  readonly keepAgentTokens?: boolean;
  readonly yes?: boolean;
}

export function register(program: Command): void {
  const restore = program
    .command('restore')
    .description('finish a restore: end access that may have ended after the backup of a restored database');
  const shared = (command: Command): Command =>
    command
      .option(
        '--operator-config <file>',
        'configuration of the operator; that of the local installation when unset',
      )
      .option('--json', 'print one JSON object');
  shared(restore.command('status'))
    .description('show the restore epoch of each service, and whether it refuses to serve')
    .addHelpText('after', '\nExample:\n  claviger restore status')
    .action(async (options: RestoreOptions) => {
      const { restoreStatus } = await import('@claviger/operator/restore');
      process.exitCode = await restoreStatus(requestOf(options));
    });
  shared(restore.command('finish'))
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
      const { finishRestore } = await import('@claviger/operator/restore');
      process.exitCode = await finishRestore({
        ...requestOf(options),
        keepApiTokens: options.keepApiTokens ?? false,
        keepAgentTokens: options.keepAgentTokens ?? false,
      });
    });
}

const requestOf = (options: RestoreOptions) => ({
  configFile: operatorConfigOf(options.operatorConfig),
  json: options.json ?? false,
});
