import type { Command } from 'commander';
import { operatorConfigOf } from '../operator/settings.ts';

export function register(program: Command): void {
  program
    .command('seal')
    .description('drop the root key and every key under it from the memory of every replica, at once')
    .option(
      '--operator-config <file>',
      "the operator's configuration; that of the installation here when not given",
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  claviger seal && claviger unseal')
    .action(async (options: { readonly operatorConfig?: string; readonly json?: boolean }) => {
      const { sealAll } = await import('../operator/unseal.ts');
      const configFile = operatorConfigOf(options.operatorConfig);
      process.exitCode = await sealAll({ configFile, json: options.json ?? false });
    });
}
