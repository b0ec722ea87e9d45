import type { Command } from 'commander';
import { type OperatorOptions, operatorRequest, withOperatorOptions } from '../operator-options.ts';

export function register(program: Command): void {
  withOperatorOptions(program.command('seal'))
    .description('seal every replica: drop the root key and all keys under it from memory, at once')
    .addHelpText('after', '\nExample:\n  claviger seal && claviger unseal')
    .action(async (options: OperatorOptions) => {
      const { sealAll } = await import('../unseal.ts');
      process.exitCode = await sealAll(operatorRequest(options));
    });
}
