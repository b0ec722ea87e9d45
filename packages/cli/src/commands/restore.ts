import type { Command } from 'commander';
import { CommandError, EXIT } from '../exit-codes.ts';
import { operatorConfigOf } from '../operator/settings.ts';

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
    .description(
      'finish a restore: after a database was restored to an older state, what had ended since stays ended',
    );
  const shared = (command: Command): Command =>
    command
      .option(
        '--operator-config <file>',
        "the operator's configuration; that of the installation here when not given",
      )
      .option('--json', 'print one JSON object');
  shared(restore.command('status'))
    .description('the restore epoch of each service, and whether it refuses to serve')
    .addHelpText('after', '\nExample:\n  claviger restore status')
    .action(async (options: RestoreOptions) => {
      const { restoreStatus } = await import('../operator/restore.ts');
      process.exitCode = await restoreStatus(requestOf(options));
    });
  shared(restore.command('finish'))
    .description(
      'end sessions, tokens, one-time credentials, recovery codes, links, grants, leases and claims of every tenant, then serve again',
    )
    .option('--yes', 'do it; without this nothing is changed')
    .option('--keep-api-tokens', 'API tokens go on: none was revoked since the backup')
    .option('--keep-agent-tokens', 'tokens of device agents go on: none was revoked since the backup')
    .addHelpText(
      'after',
      '\nExamples:\n  claviger restore finish --yes\n  claviger restore finish --yes --keep-agent-tokens --json',
    )
    .action(async (options: FinishOptions) => {
      if (!options.yes)
        throw new CommandError(
          'this signs everybody out, in every tenant, and ends their grants: add --yes to do it',
          EXIT.usage,
        );
      const { finishRestore } = await import('../operator/restore.ts');
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
