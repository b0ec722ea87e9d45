import { dataDirOf } from '@claviger/installation/host-settings';
import { CommandError } from '@claviger/terminal/exit-codes';
import { tell } from '@claviger/terminal/output';
import type { Command } from 'commander';

interface UnlockOptions {
  readonly username: string;
  readonly tenant?: string;
  readonly from?: string;
}

export function register(program: Command): void {
  program
    .command('unlock-admin')
    .description(
      'unlock an administrator after wrong passwords or codes; run it on the machine of the installation',
    )
    .requiredOption('--username <name>', 'administrator to unlock')
    .option('--tenant <name>', 'tenant of the administrator (default: default)')
    .option(
      '--from <address>',
      'address of the administrator: it remains unlocked while attempts from other addresses continue',
    )
    .addHelpText('after', '\nExample:\n  claviger unlock-admin --username alice --from 192.0.2.7')
    .action(async ({ username, tenant = '', from = '' }: UnlockOptions) => {
      const { findRunning, layoutOf } = await import('@claviger/installation');
      const dataDir = dataDirOf();
      if ((await findRunning(dataDir))?.ready !== true) {
        throw new CommandError('nothing is running: start it with `claviger up --detach` first');
      }
      const { unlockAdministrator } = await import('../operator-client.ts');
      const configFile = layoutOf(dataDir).configFile('operator');
      const { place } = await unlockAdministrator(configFile, { username, tenant, address: from });
      tell(place === '' ? `unlocked ${username}` : `unlocked ${username}, who can sign in from ${place}`);
    });
}
