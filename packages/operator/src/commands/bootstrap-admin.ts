import { dataDirOf } from '@claviger/installation/host-settings';
import { CommandError } from '@claviger/terminal/exit-codes';
import { say, sayJson, tell } from '@claviger/terminal/output';
import type { Command } from 'commander';

interface BootstrapOptions {
  readonly username: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('bootstrap-admin')
    .description(
      'create the first administrator with a generated password, shown once; only while there is no user',
    )
    .requiredOption('--username <name>', 'name to sign in with')
    .option('--json', 'print one JSON object: userId, username, password, tenantId')
    .addHelpText('after', '\nExample:\n  claviger bootstrap-admin --username alice --json')
    .action(async (options: BootstrapOptions) => {
      const { findRunning, layoutOf } = await import('@claviger/installation');
      const dataDir = dataDirOf();
      if ((await findRunning(dataDir))?.ready !== true) {
        throw new CommandError('nothing is running: start it with `claviger up --detach` first');
      }
      const { bootstrapAdministrator } = await import('../operator-client.ts');
      const answer = await bootstrapAdministrator(layoutOf(dataDir).configFile('operator'), options.username);
      const { userId, username, password, tenantId } = answer;
      if (options.json) return sayJson({ userId, username, password, tenantId });
      tell('this password is shown once:');
      say(`${username}  ${password}`);
    });
}
