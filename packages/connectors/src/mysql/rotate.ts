import { candidateProblem } from '../candidate-password.ts';
import type { Account, ConnectorContext, Credential, RotateResult, RotationSecrets } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { assertMayChange, operationSignal } from '../deadline.ts';
import { failureBeforeChange } from '../outcome.ts';
import { serverText } from '../server-text.ts';
import { isUserName, type MysqlConfig } from './config.ts';
import { accountName, literal } from './literals.ts';
import { nativePasswordHash } from './native-password-hash.ts';
import { asServerError, OPTION_PREVENTS_STATEMENT, refusalKind, type ServerError } from './server-errors.ts';
import { type MysqlSession, openSession } from './session.ts';

/**
 * Sets a new password, as the account itself or as the administrator, always naming the account. Does not verify: log in with the
 * new password afterwards.
 */
export async function rotateMysql(
  config: MysqlConfig,
  account: Account,
  secrets: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  const problem = candidateProblem(secrets.next);
  if (problem !== undefined) return { outcome: 'refused', kind: 'policy', reason: problem };
  try {
    if (!isUserName(account.username))
      throw new ConnectorError(
        'configuration',
        'A user name has 1 to 128 characters and no control characters.',
      );
    const login = loginFor(config, account, secrets);
    await using session = await openSession(config, login, ctx, operationSignal(ctx));
    const isSelf = config.rotateAs === 'self';
    const host = isSelf ? session.accountHost : await hostOf(session, config, account.username);
    const forms = await statements(session, account.username, host, secrets.next, isSelf);
    return await change(session, forms, secrets.next, ctx);
  } catch (error) {
    return failureBeforeChange(withServerWords(error));
  }
}

function loginFor(config: MysqlConfig, account: Account, secrets: RotationSecrets): Credential {
  if (config.rotateAs === 'self') {
    if (secrets.current === undefined)
      throw new ConnectorError(
        'configuration',
        'The account rotates itself, which needs its current password.',
      );
    return { username: account.username, password: secrets.current };
  }
  if (secrets.admin === undefined)
    throw new ConnectorError('configuration', 'This target is rotated by an administrator; none was given.');
  return secrets.admin;
}

/** The host part of the one account that is meant. */
async function hostOf(session: MysqlSession, config: MysqlConfig, user: string): Promise<string> {
  const rows = await session.query(
    `SELECT Host AS host FROM mysql.user WHERE User = BINARY ${literal(user)}`,
  );
  const hosts = rows.map((row) => String(row.host));
  const wanted = config.accountHost;
  if (wanted !== undefined && hosts.includes(wanted)) return wanted;
  const [only] = hosts;
  if (wanted === undefined && only !== undefined && hosts.length === 1) return only;
  throw new ConnectorError(
    'permission',
    hosts.length === 0 || wanted !== undefined
      ? 'The server has no such account.'
      : 'The server has several accounts of this name.',
    hosts.length > 1 ? { hint: 'Say which one is meant: accountHost in the settings of the target.' } : {},
  );
}

/**
 * The statements to try, one after the other. MariaDB writes what it is sent into its logs as it stands, so that a hash is sent
 * where the account takes one; servers whose policy wants to see the password itself refuse that, and get it.
 */
async function statements(
  session: MysqlSession,
  user: string,
  host: string,
  next: string,
  isSelf: boolean,
): Promise<string[]> {
  const name = accountName(user, host);
  if (!session.isMariaDb)
    return [`ALTER USER ${isSelf ? 'CURRENT_USER()' : name} IDENTIFIED BY ${literal(next)}`];
  const target = isSelf ? 'SET PASSWORD' : `SET PASSWORD FOR ${name}`;
  const clear = `${target} = PASSWORD(${literal(next)})`;
  return (await isNative(session, name, isSelf))
    ? [`${target} = ${literal(nativePasswordHash(next))}`, clear]
    : [clear];
}

async function isNative(session: MysqlSession, name: string, isSelf: boolean): Promise<boolean> {
  const [row] = await session.query(`SHOW CREATE USER ${isSelf ? 'CURRENT_USER()' : name}`);
  const [definition] = Object.values(row ?? {});
  return / IDENTIFIED BY PASSWORD '\*[0-9A-F]{40}'/.test(String(definition));
}

/** From here on the change is on its way: only an error that the server reports for the statement itself is a refusal. */
async function change(
  session: MysqlSession,
  forms: readonly string[],
  next: string,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  let refused: ServerError | undefined;
  for (const statement of forms) {
    await assertMayChange(ctx);
    try {
      await session.query(statement);
      return { outcome: 'applied' };
    } catch (error) {
      refused = asServerError(error);
      if (refused === undefined || !(await isAlive(session)))
        return {
          outcome: 'ambiguous',
          reason: 'The connection ended before the server answered the change.',
        };
      if (refused.errno !== OPTION_PREVENTS_STATEMENT) break;
    }
  }
  if (refused === undefined) throw new ConnectorError('protocol', 'There was nothing to send.');
  const reason = `${serverText(refused.sqlMessage, [next, nativePasswordHash(next)])} (${refused.errno})`;
  return { outcome: 'refused', kind: refusalKind(refused.errno), reason };
}

/** Tells an error of the statement, which left everything as it was, from the end of the session, which may hide a commit. */
async function isAlive(session: MysqlSession): Promise<boolean> {
  try {
    await session.query('SELECT 1');
    return true;
  } catch {
    return false;
  }
}

/** Errors of the statements that only look. */
function withServerWords(error: unknown): unknown {
  const said = asServerError(error);
  if (said === undefined) return error;
  const kind = refusalKind(said.errno) === 'unreachable' ? 'unreachable' : 'permission';
  return new ConnectorError(kind, `${serverText(said.sqlMessage)} (${said.errno})`, { cause: error });
}
