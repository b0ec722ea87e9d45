import { auth } from '@claviger/contracts';
import type { ApiClient } from '../api/api-client.ts';
import { CliProblem } from '../api/cli-problem.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
import { readTokens, withTokenLock, writeTokens } from './profiles.ts';
import { askHidden, readStdin } from './secret-input.ts';
import { tokensFrom, withSession } from './session.ts';
import { fieldsText, type OutputFormat, showJson } from './show.ts';

export interface CodeOptions extends ConnectionOptions {
  readonly codeStdin?: boolean;
}

const service = auth.AuthServiceService;

/** The command `mfa setup`: a pending factor, whose secret is shown this once. */
export function setupMfa(options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { secret, otpauthUri } = await api.call(service.setupMfa, {});
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

/** The command `mfa confirm`: a code of the app makes the pending factor count; shows the recovery codes. */
export function confirmMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ api, connection, format }) => {
    const answer = await api.call(service.verifyMfa, { code: await codeOf(options) });
    await keepTokens(connection, answer);
    tell('the second factor is on');
    if (answer.recoveryCodes.length > 0) showCodes(answer.recoveryCodes, format);
  });
}

/** The command `mfa prove`: what needs a recent second factor works for the next ten minutes. */
export function proveMfa(options: CodeOptions): Promise<void> {
  return withSession(options, async ({ api, connection }) => {
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
    const answer = await api.call(service.completeMfaChallenge, { code: await codeOf(options) });
    await keepTokens(connection, answer);
    return await work();
  }
}

async function codeOf({ codeStdin }: CodeOptions): Promise<string> {
  const code = codeStdin
    ? ((await readStdin()).split(/\r?\n/)[0] ?? '')
    : await askHidden('Code of the second factor: ', 'give the code with --code-stdin');
  if (code.trim() === '') throw new CommandError('the code is empty', EXIT.usage);
  return code.trim();
}

/** A session that was full before keeps its refresh token: only the access token says more now. */
async function keepTokens(
  { profileName, server, token }: Connection,
  answer: { readonly accessToken: string; readonly refreshToken: string; readonly expiresIn: number },
): Promise<void> {
  if (token !== undefined || answer.accessToken === '') return;
  await withTokenLock(async () => {
    const before = await readTokens(profileName);
    const refreshToken = answer.refreshToken || (before?.server === server ? before.refreshToken : '');
    await writeTokens(profileName, tokensFrom(server, { ...answer, refreshToken }));
  });
}

/** Recovery codes, which are shown once. */
export function showCodes(recoveryCodes: readonly string[], format: OutputFormat): void {
  if (format === 'json') return showJson({ recoveryCodes });
  tell('recovery codes, shown once; each replaces the second factor one time. Keep them apart from it:');
  for (const code of recoveryCodes) say(code);
}
