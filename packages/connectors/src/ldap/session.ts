import { OutboundError, startTls } from '@claviger/outbound';
import { Client, PasswordPolicyControl, PasswordPolicyError, SASL_MECHANISMS } from 'ldapts';
import type { ConnectorContext } from '../connector.ts';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { guardStream } from '../network/guard-stream.ts';
import { openSocket } from '../network/open-socket.ts';
import { assertMayBePlain, trustOf } from '../network/tls.ts';
import { bindFailure } from './bind-failure.ts';
import { type LdapConfig, portOf } from './config.ts';
import { messageLength } from './message-length.ts';
import { asLdapResult } from './result-codes.ts';
import { requestStartTls } from './start-tls-request.ts';

/** A connection on which the server has accepted a name and password. */
export interface LdapSession extends AsyncDisposable {
  readonly client: Client;
  /** The server allows this login only to change its password. */
  readonly mustChange: boolean;
  /** The limit that ended the connection, if any; the driver reports another error. */
  readonly violation: () => ConnectorError | undefined;
}

/**
 * Logs in with a simple bind. Refuses an empty password, which servers accept as an anonymous bind. Throws
 * ConnectorError.
 */
export async function openSession(
  config: LdapConfig,
  login: { readonly name: string; readonly password: string | undefined },
  ctx: ConnectorContext,
  signal: AbortSignal,
): Promise<LdapSession> {
  const { name, password } = login;
  if (!password) throw new ConnectorError('configuration', 'An LDAP login needs a password.');
  if (name === '') throw new ConnectorError('configuration', 'An LDAP login needs a name.');
  // The driver would treat this name as a SASL mechanism.
  if (SASL_MECHANISMS.some((mechanism) => mechanism === name))
    throw new ConnectorError('configuration', `'${name}' cannot be used as a login name.`, {
      hint: 'Set the full name: the distinguished name, name@domain or DOMAIN\\name.',
    });
  const opened = await openSocket(config.host, portOf(config), ctx, signal);
  let socket = opened.socket;
  let violation: LdapSession['violation'] = () => undefined;
  const control = new PasswordPolicyControl();
  try {
    const trust = trustOf(config.tls);
    // A bind sends the password itself.
    if (trust === undefined) assertMayBePlain(opened.address, 'machine');
    else {
      if (config.startTls) await requestStartTls(socket);
      socket = await startTls(socket, config.host, trust);
    }
    violation = guardStream(socket, messageLength);
    let isTaken = false;
    const client = new Client({
      url: 'ldap://target.invalid',
      createConnection: () => {
        // The driver reconnects after a lost connection, and would continue without a login.
        if (isTaken) throw new ConnectorError('unreachable', 'The connection was lost.');
        isTaken = true;
        return socket;
      },
    });
    await client.bind(name, password, control);
    return {
      client,
      mustChange: control.value?.error === PasswordPolicyError.ChangeAfterReset,
      violation,
      async [Symbol.asyncDispose]() {
        socket.destroy();
        opened.socket.destroy();
      },
    };
  } catch (error) {
    socket.destroy();
    opened.socket.destroy();
    throw violation() ?? loginFailure(error, password, control);
  }
}

function loginFailure(error: unknown, password: string, control: PasswordPolicyControl): ConnectorError {
  if (error instanceof ConnectorError || error instanceof OutboundError) return asConnectorError(error);
  const result = asLdapResult(error, control);
  if (result !== undefined) return bindFailure(result, [password]);
  return new ConnectorError('unreachable', 'The connection broke during login.', {
    cause: error,
    hint: 'Check port, tls and startTls: port 389 starts in plain text, 636 with TLS. The server may also limit connections.',
  });
}
