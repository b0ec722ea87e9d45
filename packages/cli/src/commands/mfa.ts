import type { Command } from 'commander';
import { nounCommand, peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { CodeOptions, SetupMfaOptions } from '../people/mfa.ts';

const work = () => import('../people/mfa.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'mfa', 'your own second factor');
  const setup = peopleCommand(
    noun,
    'setup',
    'make a second factor for an authenticator app; it counts once it is confirmed',
    'claviger mfa setup',
  );
  setup.option(
    '--password-stdin',
    'read the password from standard input; else it is asked for when the sign-in was over five minutes ago',
  );
  withConnectionOptions(setup).action(async (options: SetupMfaOptions) => (await work()).setupMfa(options));
  for (const [verb, description, run] of [
    ['confirm', 'confirm it with a code of the app; shows the recovery codes, once', 'confirmMfa'],
    ['prove', 'prove it again: commands that need a recent one work for ten minutes', 'proveMfa'],
    ['disable', 'switch it off', 'disableMfa'],
    ['recovery-codes', 'make new recovery codes, which end the old ones', 'replaceRecoveryCodes'],
  ] as const) {
    const command = peopleCommand(noun, verb, description, `claviger mfa ${verb}`).option(
      '--code-stdin',
      'read the code from standard input; else it is asked for where one is needed',
    );
    withConnectionOptions(command).action(async (options: CodeOptions) => (await work())[run](options));
  }
}
