import { dataDirOf } from '@claviger/installation/host-settings';
import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('down')
    .description('stop what `claviger up` started, and nothing else')
    .addHelpText('after', '\nExample:\n  CLAVIGER_DATA_DIR=/srv/claviger claviger down')
    .action(async () => {
      const { down } = await import('../down.ts');
      await down(dataDirOf());
    });
}
