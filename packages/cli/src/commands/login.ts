import type { ConnectionOptions } from '@claviger/api-client/connection';
import { withTokenLock, writeProfile, writeTokens } from '@claviger/api-client/profiles';
import { type Session, tokensFrom, withoutSession } from '@claviger/api-client/session';
import type * as auth from '@claviger/contracts/auth/v1/auth';
import { peopleCommand, withConnectionOptions } from '@claviger/terminal/command-options';
import { escapeText } from '@claviger/terminal/escape';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { say, tell } from '@claviger/terminal/output';
import { firstWrittenLine, readCode } from '@claviger/terminal/read-code';
import { askHidden, readSecretLine, readSecretLines } from '@claviger/terminal/secret-input';
import { showJson } from '@claviger/terminal/show';
import type { Command } from 'commander';
import { fieldsText } from '../contract/cells.ts';
import { noun as mfa } from '../nouns/mfa.ts';

export interface LoginOptions extends ConnectionOptions {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
  readonly recoveryCode?: boolean;
}

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'login [username]',
    'sign in; the password is prompted for, or read from a pipe or a file',
    'claviger login alice',
  )
    .option('--username <name>', 'instead of the argument')
    .option(
      '--password-stdin',
      'read the password from the first line of standard input, a code from the second',
    )
    .option('--recovery-code', 'also give a recovery code; it works while the account is locked')
    .option('--password-file <file>', 'read the password from the first line of a file');
  withConnectionOptions(command).action(login);
}

/** The command `login`: signs in and stores the tokens in the profile. */
export function login(argument: string | undefined, options: LoginOptions): Promise<void> {
  let accessToken: string | undefined;
  return withoutSession(
    options,
    async ({ invoke, connection, format }) => {
      const username = argument ?? options.username ?? connection.profile?.username;
      if (username === undefined || username === '')
        throw new CommandError('give a user name: claviger login NAME', EXIT.usage);
      const { password, code } = await readPassword(username, options);
      const tenant = connection.tenant;
      const recoveryCode = options.recoveryCode ? (code ?? (await askCode())) : '';
      const first = await invoke<auth.LoginResponse>('Login', {
        username,
        password,
        tenant,
        code: recoveryCode,
      });
      accessToken = first.accessToken;
      if (first.mfaSetupRequired) await showNewFactor(invoke);
      const answer = first.mfaSetupRequired
        ? await invoke<auth.VerifyMfaResponse>('VerifyMfa', { code: await askCode() })
        : first.mfaRequired
          ? await invoke<auth.LoginResponse>('CompleteMfaChallenge', { code: code ?? (await askCode()) })
          : first;
      if ('recoveryCodes' in answer && format === 'json') showJson({ recoveryCodes: answer.recoveryCodes });
      else if ('recoveryCodes' in answer) {
        tell(mfa.verbs.confirm!.told!);
        for (const each of answer.recoveryCodes) say(each);
      }
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

/** Sets up a second factor for a user without one, if the tenant requires it. */
async function showNewFactor(invoke: Session['invoke']): Promise<void> {
  const factor = await invoke('SetupMfa', {});
  tell(
    'a second factor is mandatory: enter one of these in an authenticator app, then the code that it shows',
  );
  say(fieldsText(mfa.verbs.setup!.fields!, factor));
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
