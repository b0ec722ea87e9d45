import type { Socket } from 'node:net';
import { isTrustFailure, OutboundError, startTls, type TlsTrust } from '@claviger/outbound';
import { type Connection, createConnection, type RowDataPacket, type TypeCast } from 'mysql2';
import type { ConnectorContext, Credential } from '../connector.ts';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { guardStream } from '../network/guard-stream.ts';
import { openSocket } from '../network/open-socket.ts';
import { assertMayBePlain, trustOf } from '../network/tls.ts';
import { serverText } from '../server-text.ts';
import { isUserName, type MysqlConfig } from './config.ts';
import { ed25519Signature } from './ed25519.ts';
import { literal, SESSION_SQL_MODE } from './literals.ts';
import { packetLength } from './packet-length.ts';
import { asServerError, ERROR, loginError } from './server-errors.ts';

/** A login that the server has verified. */
export interface MysqlSession extends AsyncDisposable {
  readonly isMariaDb: boolean;
  readonly serverVersion: string;
  /** The client host that the server sees: an address, or a name that it resolved. */
  readonly peerHost: string;
  /** The password has expired: the server accepts only a new one. Only if `mayBeExpired` was set. */
  readonly mustChangePassword: boolean;
  /** Runs a statement and returns its rows; rejects with the error of the driver. */
  query(statement: string): Promise<Record<string, unknown>[]>;
}

/**
 * Logs in with a password. A login under another name, or without verification, is an error, because it
 * proves nothing. So is an expired password, unless `mayBeExpired` is set. Throws ConnectorError.
 */
export async function openSession(
  config: MysqlConfig,
  credential: Credential,
  ctx: ConnectorContext,
  signal: AbortSignal,
  { mayBeExpired = false }: { readonly mayBeExpired?: boolean } = {},
): Promise<MysqlSession> {
  const { username, password } = credential;
  if (!isUserName(username))
    throw new ConnectorError(
      'configuration',
      'A user name has 1 to 128 characters and no control characters.',
    );
  if (!password) throw new ConnectorError('configuration', 'A MySQL login needs a password.');
  const trust = trustOf(config.tls);
  const { socket, address } = await openSocket(config.host, config.port, ctx, signal);
  try {
    // Statements contain new passwords.
    if (trust === undefined) assertMayBePlain(address, 'machine');
    const connection = await login(config, { username, password }, socket, trust, mayBeExpired);
    const query = (statement: string) => rowsOf(connection, statement);
    await query(`SET SESSION sql_mode = '${SESSION_SQL_MODE}'`);
    return {
      ...(await identity(query, username, mayBeExpired)),
      query,
      async [Symbol.asyncDispose]() {
        // All answers have been read; closing without COM_QUIT is safe.
        connection.destroy();
        socket.destroy();
      },
    };
  } catch (error) {
    socket.destroy();
    throw loginFailure(error, username, [password]);
  }
}

type Identity = Omit<MysqlSession, 'query' | keyof AsyncDisposable>;

/**
 * Returns the account of the session and its state. Throws ConnectorError if the server has logged in another
 * account.
 */
async function identity(
  query: MysqlSession['query'],
  username: string,
  mayBeExpired: boolean,
): Promise<Identity> {
  try {
    const [row] = await query('SELECT CURRENT_USER() AS account, USER() AS peer, VERSION() AS version');
    const account = String(row?.account);
    if (account.slice(0, account.lastIndexOf('@')) !== username) throw anotherAccount();
    const version = serverText(String(row?.version));
    const peer = String(row?.peer);
    return {
      isMariaDb: /mariadb/i.test(version),
      serverVersion: version,
      peerHost: peer.slice(peer.lastIndexOf('@') + 1),
      mustChangePassword: false,
    };
  } catch (error) {
    if (!mayBeExpired || asServerError(error)?.errno !== ERROR.mustChangePassword) throw error;
  }
  // Until the password is changed the server refuses SELECT, but evaluates expressions in SET.
  const holds = async (condition: string) => {
    try {
      await query(`SET SESSION sql_mode = IF(${condition}, '${SESSION_SQL_MODE}', 'untrue')`);
      return true;
    } catch (error) {
      if (asServerError(error)?.errno === ERROR.wrongValue) return false;
      throw error;
    }
  };
  const account = "LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - LOCATE('@', REVERSE(CURRENT_USER())))";
  if (!(await holds(`BINARY ${account} = ${literal(username)}`))) throw anotherAccount();
  return {
    isMariaDb: await holds("VERSION() LIKE '%mariadb%'"),
    serverVersion: '',
    peerHost: '',
    mustChangePassword: true,
  };
}

function anotherAccount(): ConnectorError {
  return new ConnectorError(
    'protocol',
    'The server runs this session as another account than the one that logged in.',
    { hint: 'Remove anonymous and proxy accounts that match this name, and skip-grant-tables.' },
  );
}

async function login(
  config: MysqlConfig,
  credential: { readonly username: string; readonly password: string },
  socket: Socket,
  trust: TlsTrust | undefined,
  mayBeExpired: boolean,
): Promise<Connection> {
  guardStream(socket, packetLength);
  const connection = createConnection({
    stream: socket,
    host: config.host,
    port: config.port,
    user: credential.username,
    password: credential.password,
    // `replaceTls` replaces the TLS handshake; without this option the driver would not request TLS.
    ...(trust === undefined ? {} : { ssl: { minVersion: 'TLSv1.2' } }),
    // Forbids several statements in one query, and requests of the server for local files.
    multipleStatements: false,
    // The driver would otherwise generate code from column names and types that the server sends.
    disableEval: true,
    flags: ['-LOCAL_FILES', ...(mayBeExpired ? ['CAN_HANDLE_EXPIRED_PASSWORDS'] : [])],
    authPlugins: {
      client_ed25519: () => (challenge) => ed25519Signature(credential.password, challenge.subarray(0, 32)),
    },
    connectAttributes: { program_name: 'claviger' },
    // The socket is already open, and the operation's time limit closes it.
    connectTimeout: 0,
  });
  if (trust !== undefined) replaceTls(connection, config.host, trust);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // An error after the login also fails the pending query, which reports it.
  connection.on('error', reject);
  connection.on('connect', () => resolve());
  await promise;
  return connection;
}

/** Internals of the driver that its switch to TLS uses. */
interface DriverInside {
  stream: Socket;
  startTLS(onSecure: (error?: Error) => void): void;
  readonly packetParser: { execute(data: Buffer): void };
  _handleNetworkError(error: Error): void;
}

/**
 * Replaces the driver's TLS: it checks certificate names only for host names, and does not support pinned
 * certificates. Nothing secret has been sent at this point.
 */
function replaceTls(connection: Connection, host: string, trust: TlsTrust): void {
  const inside = connection as unknown as DriverInside;
  inside.startTLS = (onSecure) => {
    inside.stream.removeAllListeners('data');
    startTls(inside.stream, host, trust).then(
      (secure) => {
        guardStream(secure, packetLength);
        secure.on('error', (error) => inside._handleNetworkError(error));
        secure.on('data', (data: Buffer) => inside.packetParser.execute(data));
        inside.stream = secure;
        onSecure();
      },
      (error: Error) => onSecure(error),
    );
  };
}

function rowsOf(connection: Connection, statement: string): Promise<Record<string, unknown>[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>[]>();
  // The server declares the type of each column; every value is read as text.
  const typeCast: TypeCast = (field) => field.string();
  connection.query<RowDataPacket[]>({ sql: statement, typeCast }, (error, rows) => {
    if (error) reject(error);
    else resolve(Array.isArray(rows) ? rows : []);
  });
  return promise;
}

function loginFailure(error: unknown, username: string, secrets: string[]): ConnectorError {
  if (error instanceof ConnectorError) return error;
  if (error instanceof OutboundError) return asConnectorError(error);
  const said = asServerError(error);
  if (said !== undefined) return loginError(said, username, secrets);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT')
    return new ConnectorError('untrusted', 'The server does not offer TLS.', { cause: error });
  if (code === 'HANDSHAKE_SSL_ERROR' || isTrustFailure(error))
    return new ConnectorError('untrusted', 'The server could not prove its identity.', {
      cause: error,
      hint: "Compare the server's certificate with the one in the target's settings.",
    });
  if (code === 'AUTH_SWITCH_PLUGIN_ERROR' || code === 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED')
    return new ConnectorError(
      'not_possible',
      'The server requests the password in a form that discloses it, or in an unknown form.',
      {
        cause: error,
        hint: 'Use ed25519, mysql_native_password, caching_sha2_password or sha256_password for the account: see SHOW CREATE USER.',
      },
    );
  return new ConnectorError('unreachable', `The connection broke during login (${code || 'closed'}).`, {
    cause: error,
  });
}
