import type { Command } from 'commander';
import { CommandError, EXIT } from '../exit-codes.ts';
import { operatorConfigOf, wholeNumber } from '../operator/settings.ts';

interface UnsealOptions {
  readonly init?: boolean;
  readonly fromShares?: boolean;
  readonly shares: string;
  readonly threshold: string;
  readonly cancel?: boolean;
  readonly operatorConfig?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('unseal')
    .description(
      'bring the root key to sealed services: shares from the terminal, or from standard input, one a line',
    )
    .option('--init', 'make a root key for empty databases and show its shares, once')
    .option('--shares <n>', 'with --init: how many shares', '5')
    .option('--threshold <n>', 'with --init: how many of them unseal', '3')
    .option('--from-shares', 'with --init: set up a service that has no root key yet from shares that exist')
    .option('--cancel', 'forget the shares that were given so far')
    .option(
      '--operator-config <file>',
      "the operator's configuration; that of the installation here when not given",
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  claviger unseal --init\n  claviger unseal            # asks for one share after the other; each holder may use a terminal of their own\n  claviger unseal < share',
    )
    .action(async (options: UnsealOptions) => {
      const commands = await import('../operator/unseal.ts');
      const request = { configFile: operatorConfigOf(options.operatorConfig), json: options.json ?? false };
      if (options.cancel) process.exitCode = await commands.cancelUnseal(request);
      else if (options.init && !options.fromShares) {
        const shares = wholeNumber(options.shares, '--shares', 2, 255);
        const threshold = wholeNumber(options.threshold, '--threshold', 2, 255);
        if (threshold > shares) throw new CommandError('--threshold must not exceed --shares', EXIT.usage);
        process.exitCode = await commands.initialise({ ...request, shares, threshold });
      } else process.exitCode = await commands.unseal({ ...request, initialise: options.init ?? false });
    });
}
