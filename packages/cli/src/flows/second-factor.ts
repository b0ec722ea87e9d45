import { CliProblem } from '@claviger/api-client/cli-problem';
import type { TokenAnswer } from '@claviger/api-client/session';
import { codeOf, keepTokens, requireProfile } from '@claviger/api-client/step-up';
import type * as auth from '@claviger/contracts/auth/v1/auth';
import { tell } from '@claviger/terminal/output';
import { askHidden, readSecretLine } from '@claviger/terminal/secret-input';
import type { Running } from '../contract/noun.ts';

/** The command `mfa setup`; asks for the password if the sign-in is older than five minutes. */
export async function newFactor({ invoke, options }: Running): Promise<unknown> {
  const withPassword = (password: string) => invoke('SetupMfaWithPassword', { password });
  if (options.passwordStdin) return withPassword(await readSecretLine('password'));
  try {
    return await invoke('SetupMfa', {});
  } catch (error) {
    if (!(error instanceof CliProblem) || error.code !== 'password_required') throw error;
    return withPassword(await askHidden('Your password: ', 'give the password with --password-stdin'));
  }
}

/** The command `mfa confirm`: confirms the pending factor; answers its recovery codes. */
export async function confirmFactor({ invoke, connection, options }: Running): Promise<unknown> {
  requireProfile(connection);
  const answer = await invoke<auth.VerifyMfaResponse>('VerifyMfa', { code: await codeOf(options) });
  await keepTokens(connection, answer);
  tell('the second factor is on');
  const { recoveryCodes } = answer;
  return recoveryCodes.length > 0 ? { recoveryCodes } : undefined;
}

/** The command `mfa prove`: a step-up of the session, which lasts ten minutes. */
export async function proveFactor({ invoke, connection, options }: Running): Promise<void> {
  requireProfile(connection);
  const answer = await invoke<TokenAnswer>('CompleteMfaChallenge', { code: await codeOf(options) });
  await keepTokens(connection, answer);
  tell('the second factor is recent for ten minutes');
}
