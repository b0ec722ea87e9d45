import ssh2, {
  type AnyAuthMethod,
  type AuthenticationType,
  type AuthHandlerMiddleware,
  type ParsedKey,
  type Prompt,
} from 'ssh2';
import type { Credential } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';

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
 * Throws `configuration` for a private key that cannot be used as it is.
 */
export function authenticateOnce({ username, password, privateKey }: Credential): Authentication {
  const key = privateKey === undefined ? undefined : usableKey(privateKey);
  let attempted = false;
  let failure: ConnectorError | undefined;
  let unexpectedPrompt = false;

  const answer = (prompts: Prompt[], finish: (responses: string[]) => void) => {
    const [first] = prompts;
    if (first === undefined) return finish([]);
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
      failure = new ConnectorError(
        'protocol',
        'The server offers no login of the kind this credential is for.',
        {
          hint: `It offers: ${left.join(', ') || 'nothing'}.`,
        },
      );
    } else if (partialSuccess || unexpectedPrompt || !attempted) {
      failure = new ConnectorError('protocol', 'The server asks for more than this credential.');
    } else {
      failure = new ConnectorError('authentication', 'The server refused the credential.');
    }
    next(giveUp);
  };
  return { handler, attempted: () => attempted, failure: () => failure };
}

/** The library would skip a key that it cannot use, and the login would look refused. */
function usableKey(privateKey: string): ParsedKey {
  const key = ssh2.utils.parseKey(privateKey);
  if (!(key instanceof Error) && key.isPrivateKey()) return key;
  throw new ConnectorError('configuration', 'The secret is not a private key that can be used.', {
    hint: 'Store the key in PEM or OpenSSH form, without a passphrase.',
  });
}
