import { CliProblem } from '@claviger/api-client/cli-problem';
import { readTokens, withTokenLock, writeTokens } from '@claviger/api-client/profiles';
import { tell } from '@claviger/terminal/output';
import type { Running } from '../contract/noun.ts';
import { refuse } from '../contract/refuse.ts';

/** The command `logout`: ends the session on the server at once, then deletes its tokens. */
export async function signOut({ invoke, connection }: Running): Promise<void> {
  const { profileName, token } = connection;
  if (token !== undefined) throw refuse('CLAVIGER_TOKEN is set: unset it to end the session of a profile');
  await invoke('Logout', {}).catch((error: unknown) => {
    // The session has already ended.
    if (!(error instanceof CliProblem) || error.status !== 401) throw error;
  });
  await withTokenLock(async () => {
    if ((await readTokens(profileName)) !== undefined) await writeTokens(profileName, undefined);
  });
  tell(`signed out (profile ${profileName})`);
}
