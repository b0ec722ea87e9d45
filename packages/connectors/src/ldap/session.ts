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

/** A connection on which the server has accepted a name and its password. */
export interface LdapSession extends AsyncDisposable {
  readonly client: Client;
  /** The server lets this login change its password and do nothing else. */
  readonly mustChange: boolean;
  /** Why the connection was ended here, where it was; the driver reports another error. */
  readonly violation: () => ConnectorError | undefined;
}

/**
 * Logs in by a simple bind. An empty password is refused here: to a server it would mean a login as nobody, which succeeds. Throws
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
  // The driver would log in by the mechanism of this name.
  if (SASL_MECHANISMS.some((mechanism) => mechanism === name))
    throw new ConnectorError('configuration', `'${name}' cannot be a name to log in with.`, {
      hint: 'Give the whole name: the distinguished name, name@domain or DOMAIN\\name.',
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
        // The driver connects anew when a connection is lost, and would go on without a login.
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
    hint: 'Check port, tls and startTls: 389 begins plainly, 636 with TLS. The server may limit connections, too.',
  });
}
