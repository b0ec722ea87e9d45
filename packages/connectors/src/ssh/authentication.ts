import ssh2, {
  type AnyAuthMethod,
  type AuthenticationType,
  type AuthHandlerMiddleware,
  type ParsedKey,
  type Prompt,
} from 'ssh2';
import type { Credential } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { serverText } from '../server-text.ts';
import { PasswordMustChange } from './ended-before-command.ts';
import { refusalIn } from './passwd-messages.ts';

/** The state of one login. */
export interface Authentication {
  readonly handler: AuthHandlerMiddleware;
  /** True once the credential was sent. A login for which it was not sent does not verify the credential. */
  attempted(): boolean;
  /** Why the login failed, if the server has answered. */
  failure(): ConnectorError | undefined;
}

/**
 * Sends the credential exactly once, with a method that the server offers, so that one login counts as one
 * attempt (lockout). Only the server's refusal of that attempt is an `authentication` error. Calls `endLogin`
 * when a prompt shows that the login cannot succeed; the prompt stays unanswered. Throws `configuration` for
 * an invalid private key.
 */
export function authenticateOnce(
  { username, password, privateKey }: Credential,
  endLogin: (reason: ConnectorError) => void,
): Authentication {
  const key = privateKey === undefined ? undefined : usableKey(privateKey);
  let attempted = false;
  let failure: ConnectorError | undefined;
  let unexpectedPrompt = false;

  const answer = (prompts: Prompt[], finish: (responses: string[]) => void) => {
    const [first] = prompts;
    if (first === undefined) return finish([]);
    // PAM asks for a new password only after it has accepted the current one.
    if (attempted && /(?:new|current)\b.*password/i.test(first.prompt))
      return endLogin(new PasswordMustChange());
    const refusal = attempted ? undefined : refusalIn(first.prompt);
    if (refusal?.kind === 'not_now')
      return endLogin(
        new ConnectorError(
          'not_now',
          `The host will accept the login later: ${serverText(first.prompt)}`,
          refusal,
        ),
      );
    if (prompts.length === 1 && !attempted && first.echo !== true && /password/i.test(first.prompt)) {
      attempted = true;
      return finish([password ?? '']);
    }
    unexpectedPrompt = true;
    finish(prompts.map(() => ''));
  };

  const choose = (offered: readonly AuthenticationType[]): AnyAuthMethod | undefined => {
    if (key !== undefined)
      return offered.includes('publickey') ? { type: 'publickey', username, key } : undefined;
    if (password === undefined) return undefined;
    if (offered.includes('password')) return { type: 'password', username, password };
    if (!offered.includes('keyboard-interactive')) return undefined;
    return {
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => answer(prompts, finish),
    };
  };

  let chosen: AnyAuthMethod | undefined;
  // The library's types omit the null of the first call and the false that ends the login.
  const giveUp = false as unknown as AuthenticationType;
  const handler: AuthHandlerMiddleware = (left: AuthenticationType[] | null, partialSuccess, next) => {
    // SSH lists the methods in the answer to "none"; it does not count as a failed login.
    if (left === null || left === undefined) return next({ type: 'none', username });
    if (chosen === undefined) {
      chosen = choose(left);
      if (chosen !== undefined) {
        attempted = chosen.type !== 'keyboard-interactive';
        return next(chosen);
      }
      failure = notOffered(key === undefined ? 'password' : 'key', left);
    } else if (partialSuccess || unexpectedPrompt || !attempted) {
      failure = new ConnectorError('protocol', 'The server asks for more than this credential.');
    } else {
      failure = new ConnectorError('authentication', 'The server refused the credential.', {
        hint:
          key === undefined
            ? passwordHint(username)
            : 'Is the public key in ~/.ssh/authorized_keys of the account?',
      });
    }
    next(giveUp);
  };
  return { handler, attempted: () => attempted, failure: () => failure };
}

/** Names the possible causes, because sshd gives the same answer for each of them. */
function passwordHint(username: string): string {
  if (username === 'root')
    return 'sshd also refuses the valid password of root unless PermitRootLogin is yes in sshd_config (sshd -T).';
  return (
    'sshd gives the same answer for a wrong password, a locked account (passwd -S NAME, faillock --user NAME) and one that ' +
    'AllowUsers, DenyUsers or an invalid shell excludes.'
  );
}

function notOffered(credential: 'password' | 'key', offered: readonly string[]): ConnectorError {
  const setting = credential === 'password' ? 'PasswordAuthentication' : 'PubkeyAuthentication';
  return new ConnectorError('not_possible', `The server does not accept a ${credential} for this account.`, {
    hint: `It offers: ${offered.join(', ') || 'nothing'}. Set ${setting} yes in sshd_config, also in its Match blocks.`,
  });
}

/**
 * Parses the key before the login: the library would skip an invalid key, and the login would look refused.
 */
function usableKey(privateKey: string): ParsedKey {
  const key = ssh2.utils.parseKey(privateKey);
  if (!(key instanceof Error) && key.isPrivateKey()) return key;
  throw new ConnectorError('configuration', 'The secret is not a valid private key.', {
    hint: 'Store the key in PEM or OpenSSH form, without a passphrase.',
  });
}
