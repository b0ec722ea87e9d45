import { CliProblem } from '@claviger/api-client/cli-problem';
import type { ConnectionOptions } from '@claviger/api-client/connection';
import { readTokens, withTokenLock, writeTokens } from '@claviger/api-client/profiles';
import { withSession } from '@claviger/api-client/session';
import { peopleCommand, withConnectionOptions } from '@claviger/terminal/command-options';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { tell } from '@claviger/terminal/output';
import type { Command } from 'commander';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'logout',
    'end the session and delete its tokens',
    'claviger logout',
  );
  withConnectionOptions(command).action(logout);
}

/** The command `logout`: ends the session on the server at once, then deletes its tokens. */
export async function logout(options: ConnectionOptions): Promise<void> {
  await withSession(options, async ({ invoke, connection }) => {
    const { profileName, token } = connection;
    if (token !== undefined)
      throw new CommandError('CLAVIGER_TOKEN is set: unset it to end the session of a profile', EXIT.usage);
    await invoke('Logout', {}).catch((error: unknown) => {
      // The session has already ended.
      if (!(error instanceof CliProblem) || error.status !== 401) throw error;
    });
    await withTokenLock(async () => {
      if ((await readTokens(profileName)) !== undefined) await writeTokens(profileName, undefined);
    });
    tell(`signed out (profile ${profileName})`);
  });
}
