import { dataDirOf } from '@claviger/installation/host-settings';
import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('check every dependency: location, version, reachability, and how to fix a problem')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  claviger doctor')
    .action(async (options: { readonly json?: boolean }) => {
      const { doctor } = await import('../doctor.ts');
      process.exitCode = await doctor(dataDirOf(), options.json ?? false);
    });
}
