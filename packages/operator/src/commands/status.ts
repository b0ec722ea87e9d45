import { dataDirOf } from '@claviger/installation/host-settings';
import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('status')
    .description('show the processes and their readiness; exit code 0 only if all are ready')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  claviger status --json')
    .action(async (options: { readonly json?: boolean }) => {
      const { status } = await import('../status.ts');
      process.exitCode = await status(dataDirOf(), options.json ?? false);
    });
}
