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

/** How one login went. */
export interface Authentication {
  readonly handler: AuthHandlerMiddleware;
  /** True once the credential was sent; a login without that proves nothing. */
  attempted(): boolean;
  /** Why the login failed, where the server has answered. */
  failure(): ConnectorError | undefined;
}

/**
 * Sends the credential exactly once, by a method that the server offers, so that one login costs one attempt
 * of the account's lockout budget. Only the server's refusal of that attempt is an `authentication` error.
 * `endLogin` is called when a question of the server tells that the login leads nowhere; it is not answered.
 * Throws `configuration` for a private key that cannot be used as it is.
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
    // PAM asks for a new password only after it has taken the current one.
    if (attempted && /(?:new|current)\b.*password/i.test(first.prompt))
      return endLogin(new PasswordMustChange());
    const refusal = attempted ? undefined : refusalIn(first.prompt);
    if (refusal?.kind === 'not_now')
      return endLogin(
        new ConnectorError(
          'not_now',
          `The host lets the account in later: ${serverText(first.prompt)}`,
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
  // The library's types know neither the null of the first call nor the false that gives up.
  const giveUp = false as unknown as AuthenticationType;
  const handler: AuthHandlerMiddleware = (left: AuthenticationType[] | null, partialSuccess, next) => {
    // Asking for "none" is how SSH lists the methods; it is not counted as a failed login.
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

/** sshd answers each of these as it answers a wrong password. */
function passwordHint(username: string): string {
  if (username === 'root')
    return 'sshd refuses also the right password of root unless PermitRootLogin is yes in sshd_config (sshd -T).';
  return (
    'sshd says the same of a wrong password, a locked account (passwd -S NAME, faillock --user NAME) and one that ' +
    'AllowUsers, DenyUsers or the lack of a shell keeps out.'
  );
}

function notOffered(credential: 'password' | 'key', offered: readonly string[]): ConnectorError {
  const setting = credential === 'password' ? 'PasswordAuthentication' : 'PubkeyAuthentication';
  return new ConnectorError('not_possible', `The server takes no ${credential} of this account.`, {
    hint: `It offers: ${offered.join(', ') || 'nothing'}. Set ${setting} yes in sshd_config, also in its Match blocks.`,
  });
}

/** The library would skip a key that it cannot use, and the login would look refused. */
function usableKey(privateKey: string): ParsedKey {
  const key = ssh2.utils.parseKey(privateKey);
  if (!(key instanceof Error) && key.isPrivateKey()) return key;
  throw new ConnectorError('configuration', 'The secret is not a private key that can be used.', {
    hint: 'Store the key in PEM or OpenSSH form, without a passphrase.',
  });
}
