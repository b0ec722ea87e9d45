import * as auth from '@claviger/contracts/auth/v1/auth';
import type { ApiClient } from '../api/api-client.ts';
import { CliProblem } from '../api/cli-problem.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { escapeText } from './escape.ts';
import { showCodes } from './mfa.ts';
import { readTokens, withTokenLock, writeProfile, writeTokens } from './profiles.ts';
import { firstWrittenLine, readCode } from './read-code.ts';
import { askHidden, readSecretLine, readSecretLines } from './secret-input.ts';
import { tokensFrom, withoutSession, withSession } from './session.ts';
import { fieldsText, showJson } from './show.ts';

export interface LoginOptions extends ConnectionOptions {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
  readonly recoveryCode?: boolean;
}

const service = auth.AuthService;

/** The command `login`: proves who one is and keeps the tokens in the profile. */
export function login(argument: string | undefined, options: LoginOptions): Promise<void> {
  let accessToken: string | undefined;
  return withoutSession(
    options,
    async ({ api, connection, format }) => {
      const username = argument ?? options.username ?? connection.profile?.username;
      if (username === undefined || username === '')
        throw new CommandError('say who you are: claviger login NAME', EXIT.usage);
      const { password, code } = await readPassword(username, options);
      const tenant = connection.tenant;
      const recoveryCode = options.recoveryCode ? (code ?? (await askCode())) : '';
      const first = await api.call(service.login, { username, password, tenant, code: recoveryCode });
      accessToken = first.accessToken;
      if (first.mfaSetupRequired) await showNewFactor(api);
      const answer = first.mfaSetupRequired
        ? await api.call(service.verifyMfa, { code: await askCode() })
        : first.mfaRequired
          ? await api.call(service.completeMfaChallenge, { code: code ?? (await askCode()) })
          : first;
      if ('recoveryCodes' in answer) showCodes(answer.recoveryCodes, format);
      const { profileName, server, caFile } = connection;
      await writeProfile(profileName, {
        server,
        username,
        ...(caFile === undefined ? {} : { ca: caFile }),
        ...(tenant === '' ? {} : { tenant }),
      });
      await withTokenLock(() => writeTokens(profileName, tokensFrom(server, answer)));
      if (format === 'json') {
        const user = 'user' in answer ? answer.user : undefined;
        showJson({ profile: profileName, server, username, user });
      } else tell(escapeText(`signed in at ${server} as ${username} (profile ${profileName})`));
    },
    () => accessToken,
  );
}

/** The tenant wants a second factor of everybody, and this person has none. */
async function showNewFactor(api: ApiClient): Promise<void> {
  const { secret, otpauthUri } = await api.call(service.setupMfa, {});
  tell(
    'a second factor is mandatory: enter one of these in an authenticator app, then the code that it shows',
  );
  say(
    fieldsText([
      ['secret', secret],
      ['address', otpauthUri],
    ]),
  );
}

async function readPassword(
  username: string,
  { passwordStdin, passwordFile }: LoginOptions,
): Promise<{ password: string; code: string | undefined }> {
  if (passwordStdin && passwordFile !== undefined)
    throw new CommandError('give one of --password-stdin and --password-file', EXIT.usage);
  if (passwordStdin) {
    const [password = '', ...lines] = await readSecretLines(undefined);
    return { password: nonEmpty(password), code: firstWrittenLine(lines) };
  }
  if (passwordFile !== undefined)
    return { password: await readSecretLine('password', passwordFile), code: undefined };
  const question = `Password of ${escapeText(username)}: `;
  const password = await askHidden(question, 'give the password with --password-stdin or --password-file');
  return { password: nonEmpty(password), code: undefined };
}

function nonEmpty(password: string): string {
  if (password === '') throw new CommandError('the password is empty', EXIT.usage);
  return password;
}

const askCode = () =>
  readCode({
    question: 'Code of the second factor (or a recovery code): ',
    otherWay:
      'give the code as the second line of --password-stdin, or let machines use an API token (CLAVIGER_TOKEN)',
  });

/** The command `logout`: ends the session at the server at once, then forgets its tokens. */
export async function logout(options: ConnectionOptions): Promise<void> {
  await withSession(options, async ({ api, connection }) => {
    const { profileName, token } = connection;
    if (token !== undefined)
      throw new CommandError('CLAVIGER_TOKEN is set: unset it to end the session of a profile', EXIT.usage);
    await api.call(service.logout, {}).catch((error: unknown) => {
      // A session that is over already needs no end.
      if (!(error instanceof CliProblem) || error.status !== 401) throw error;
    });
    await withTokenLock(async () => {
      if ((await readTokens(profileName)) !== undefined) await writeTokens(profileName, undefined);
    });
    tell(`signed out (profile ${profileName})`);
  });
}
