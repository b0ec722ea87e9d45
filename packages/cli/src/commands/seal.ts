import { operatorConfigOf } from '@claviger/installation/host-settings';
import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('seal')
    .description('seal every replica: drop the root key and all keys under it from memory, at once')
    .option(
      '--operator-config <file>',
      'configuration of the operator; that of the local installation when unset',
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  claviger seal && claviger unseal')
    .action(async (options: { readonly operatorConfig?: string; readonly json?: boolean }) => {
      const { sealAll } = await import('@claviger/operator/unseal');
      const configFile = operatorConfigOf(options.operatorConfig);
      process.exitCode = await sealAll({ configFile, json: options.json ?? false });
    });
}
