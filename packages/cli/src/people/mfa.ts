import * as auth from '@claviger/contracts/auth/v1/auth';
import type { ApiClient } from '../api/api-client.ts';
import { CliProblem } from '../api/cli-problem.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
import { withTokenLock, writeTokens } from './profiles.ts';
import { readCode } from './read-code.ts';
import { askHidden, readSecretLine } from './secret-input.ts';
import { tokensFrom, withSession } from './session.ts';
import { fieldsText, type OutputFormat, showJson } from './show.ts';

export interface CodeOptions extends ConnectionOptions {
  readonly codeStdin?: boolean;
}

const service = auth.AuthService;

export interface SetupMfaOptions extends ConnectionOptions {
  readonly passwordStdin?: boolean;
}

/** The command `mfa setup`: a pending factor, whose secret is shown this once. */
export function setupMfa(options: SetupMfaOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { secret, otpauthUri } = await newFactor(api, options);
    if (format === 'json') return showJson({ secret, otpauthUri });
    say(
      fieldsText([
        ['secret', secret],
        ['address', otpauthUri],
      ]),
    );
    tell('enter one of them in an authenticator app, then: claviger mfa confirm');
  });
}

/** A session that signed in more than five minutes ago needs the password once more. */
async function newFactor(api: ApiClient, { passwordStdin }: SetupMfaOptions) {
  const withPassword = (password: string) => api.call(service.setupMfaWithPassword, { password });
  if (passwordStdin) return withPassword(await readSecretLine('password'));
  try {
    return await api.call(service.setupMfa, {});
  } catch (error) {
    if (!(error instanceof CliProblem) || error.code !== 'password_required') throw error;
    return withPassword(await askHidden('Your password: ', 'give the password with --password-stdin'));
  }
}

/** The command `mfa confirm`: a code of the app makes the pending factor count; shows the recovery codes. */
export function confirmMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ api, connection, format }) => {
    requireProfile(connection);
    const answer = await api.call(service.verifyMfa, { code: await codeOf(options) });
    await keepTokens(connection, answer);
    tell('the second factor is on');
    if (answer.recoveryCodes.length > 0) showCodes(answer.recoveryCodes, format);
  });
}

/** The command `mfa prove`: what needs a recent second factor works for the next ten minutes. */
export function proveMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ api, connection }) => {
    requireProfile(connection);
    const answer = await api.call(service.completeMfaChallenge, { code: await codeOf(options) });
    await keepTokens(connection, answer);
    tell('the second factor is proved for ten minutes');
  });
}

/** The command `mfa disable`. */
export function disableMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ api, connection }) => {
    await withStepUp(api, connection, options, () => api.call(service.disableMfa, {}));
    tell('the second factor is off');
  });
}

/** The command `mfa recovery-codes`: new ones, which end the old ones. */
export function replaceRecoveryCodes(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ api, connection, format }) => {
    const answer = await withStepUp(api, connection, options, () =>
      api.call(service.regenerateRecoveryCodes, {}),
    );
    showCodes(answer.recoveryCodes, format);
  });
}

/** Runs `work`; when it needs a recent second factor, asks for a code, proves it, and runs `work` once more. */
export async function withStepUp<T>(
  api: ApiClient,
  connection: Connection,
  options: CodeOptions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CliProblem) || error.code !== 'mfa_not_satisfied') throw error;
    requireProfile(connection);
    const answer = await api.call(service.completeMfaChallenge, { code: await codeOf(options) });
    await keepTokens(connection, answer);
    return await work();
  }
}

const codeOf = ({ codeStdin }: CodeOptions): Promise<string> =>
  readCode({
    fromStdin: codeStdin,
    question: 'Code of the second factor: ',
    otherWay: 'give the code with --code-stdin',
  });

/** A proved factor replaces the session, and with it the tokens: those of CLAVIGER_TOKEN cannot be replaced. */
function requireProfile({ token }: Connection): void {
  if (token === undefined) return;
  throw new CommandError(
    'CLAVIGER_TOKEN is set: unset it and sign in with `claviger login` to prove a second factor',
    EXIT.usage,
  );
}

async function keepTokens(
  { profileName, server }: Connection,
  answer: { readonly accessToken: string; readonly refreshToken: string; readonly expiresIn: number },
): Promise<void> {
  await withTokenLock(() => writeTokens(profileName, tokensFrom(server, answer)));
}

/** Recovery codes, which are shown once. */
export function showCodes(recoveryCodes: readonly string[], format: OutputFormat): void {
  if (format === 'json') return showJson({ recoveryCodes });
  tell('recovery codes, shown once; each replaces the second factor one time. Keep them apart from it:');
  for (const code of recoveryCodes) say(code);
}
