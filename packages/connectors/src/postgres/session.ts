import type { Socket } from 'node:net';
import { OutboundError } from '@claviger/outbound';
import { Client } from '@claviger/postgres-client';
import { DatabaseError } from 'pg';
import type { ConnectorContext, Credential } from '../connector.ts';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { guardStream } from '../network/guard-stream.ts';
import { openSocket } from '../network/open-socket.ts';
import { assertMayBePlain, trustOf } from '../network/tls.ts';
import { serverText } from '../server-text.ts';
import { isRoleName, type PostgresConfig } from './config.ts';
import { messageLength } from './message-length.ts';
import { negotiateTls } from './negotiate-tls.ts';
import { type LoginProgress, loginError } from './server-errors.ts';

/** A login with mutual authentication over SCRAM. */
export interface PostgresSession extends AsyncDisposable {
  readonly client: Client;
  readonly serverVersion: string;
}

/**
 * Logs in with SCRAM-SHA-256 only. A server that accepts the login without asking for the password is an
 * error, because it proves nothing. Throws ConnectorError.
 */
export async function openSession(
  config: PostgresConfig,
  credential: Credential,
  ctx: ConnectorContext,
  signal: AbortSignal,
): Promise<PostgresSession> {
  const { username, password } = credential;
  if (!isRoleName(username))
    throw new ConnectorError('configuration', 'A role name has 1 to 63 bytes and no control characters.');
  if (!password) throw new ConnectorError('configuration', 'A PostgreSQL login needs a password.');

  const opened = await openSocket(config.host, config.port, ctx, signal);
  const { address } = opened;
  let socket = opened.socket;
  let client: Client;
  try {
    const trust = trustOf(config.tls);
    if (trust === undefined) assertMayBePlain(address, 'private');
    else socket = await negotiateTls(socket, config.host, trust);
    guardStream(socket, messageLength);
    client = new Client({
      host: address,
      port: config.port,
      user: username,
      password,
      database: config.database,
      // The server declares the type of each column; every value is read as text.
      types: { getTypeParser: () => (value: string | Buffer) => value },
      application_name: 'claviger',
      stream: () => adopted(socket),
    });
  } catch (error) {
    socket.destroy();
    opened.socket.destroy();
    throw asConnectorError(error);
  }
  // An error after the login also fails the pending query, which reports it.
  client.on('error', () => {});
  const progress = { asked: false, proved: false };
  let serverVersion = '';
  try {
    const connected = client.connect();
    onlyScram(client, progress, (version) => {
      serverVersion = version;
    });
    await connected;
    if (!progress.proved)
      throw new ConnectorError('protocol', 'The server accepted the login without checking the password.', {
        hint: "Use the method scram-sha-256 for this role in the server's pg_hba.conf.",
      });
  } catch (error) {
    socket.destroy();
    opened.socket.destroy();
    throw loginFailure(error, config, username, progress, [password]);
  }
  return {
    client,
    serverVersion,
    async [Symbol.asyncDispose]() {
      // The answers have been read; a failed close changes nothing.
      await client.end().catch(() => {});
      socket.destroy();
      opened.socket.destroy();
    },
  };
}

/** The driver calls connect() itself, but this socket is already connected to the checked address. */
function adopted(socket: Socket): Socket {
  Object.defineProperty(socket, 'connect', {
    value: () => {
      process.nextTick(() => socket.emit('connect'));
      return socket;
    },
  });
  return socket;
}

function onlyScram(
  client: Client,
  progress: { asked: boolean; proved: boolean },
  onVersion: (version: string) => void,
): void {
  const { connection } = client;
  for (const method of ['authenticationCleartextPassword', 'authenticationMD5Password']) {
    // The driver would answer these with the password, or with a hash that is equivalent to it.
    connection.removeAllListeners(method);
    connection.on(method, () => {
      connection.stream.destroy(
        new ConnectorError('protocol', 'The server requests the password in a form that discloses it.', {
          hint: "Use scram-sha-256 in the server's pg_hba.conf and as its password_encryption.",
        }),
      );
    });
  }
  connection.on('authenticationSASL', () => {
    progress.asked = true;
  });
  connection.on('authenticationSASLFinal', () => {
    progress.proved = true;
  });
  connection.on('parameterStatus', (message: { parameterName: string; parameterValue: string }) => {
    if (message.parameterName === 'server_version') onVersion(serverText(message.parameterValue));
  });
}

function loginFailure(
  error: unknown,
  config: PostgresConfig,
  role: string,
  progress: LoginProgress,
  secrets: string[],
): ConnectorError {
  if (error instanceof ConnectorError || error instanceof OutboundError) return asConnectorError(error);
  if (error instanceof DatabaseError) return loginError(error, role, config.database, progress, secrets);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/CERT|TLS|SSL|ISSUER|SIGNATURE/.test(code) || /certificate|SSL/.test(String(error)))
    return new ConnectorError('untrusted', `The server could not prove its identity (${code || 'TLS'}).`, {
      cause: error,
      hint: "Compare the server's certificate with the one in the target's settings.",
    });
  return new ConnectorError('unreachable', `The connection broke during login (${code || 'closed'}).`, {
    cause: error,
  });
}
