import { wholeNumber } from '@claviger/installation/host-settings';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { Command } from 'commander';
import { type OperatorOptions, operatorRequest, withOperatorOptions } from '../operator-options.ts';

interface UnsealOptions extends OperatorOptions {
  readonly init?: boolean;
  readonly fromShares?: boolean;
  readonly shares: string;
  readonly threshold: string;
  readonly cancel?: boolean;
}

export function register(program: Command): void {
  withOperatorOptions(program.command('unseal'))
    .description(
      'unseal services with shares of the root key, from the terminal or from standard input, one per line',
    )
    .option('--init', 'create a root key for empty databases and show its shares once')
    .option('--shares <n>', 'with --init: number of shares', '5')
    .option('--threshold <n>', 'with --init: number of shares that unseal', '3')
    .option('--from-shares', 'with --init: set up a service without a root key from existing shares')
    .option('--cancel', 'discard the shares submitted so far')
    .addHelpText(
      'after',
      '\nExamples:\n  claviger unseal --init\n  claviger unseal            # asks for the shares one by one; each holder can use their own terminal\n  claviger unseal < share',
    )
    .action(async (options: UnsealOptions) => {
      const commands = await import('../unseal.ts');
      const request = operatorRequest(options);
      if (options.cancel) process.exitCode = await commands.cancelUnseal(request);
      else if (options.init && !options.fromShares) {
        const shares = wholeNumber(options.shares, '--shares', 2, 255);
        const threshold = wholeNumber(options.threshold, '--threshold', 2, 255);
        if (threshold > shares) throw new CommandError('--threshold must not exceed --shares', EXIT.usage);
        process.exitCode = await commands.initialise({ ...request, shares, threshold });
      } else process.exitCode = await commands.unseal({ ...request, initialise: options.init ?? false });
    });
}
