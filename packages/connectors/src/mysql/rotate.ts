import type {
  Account,
  BlockedAccount,
  ConnectorContext,
  RotateResult,
  RotationSecrets,
} from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { assertMayChange, operationSignal } from '../deadline.ts';
import { newPasswordProblem } from '../new-password.ts';
import { failureBeforeChange } from '../outcome.ts';
import { changingLogin } from '../rotation-secrets.ts';
import {
  type Alternative,
  alternativesOfDefinition,
  hasPassword,
  identifiedVia,
  storedForm,
} from './alternatives.ts';
import { isUserName, type MysqlConfig } from './config.ts';
import { accountName, literal } from './literals.ts';
import { type AccountLook, lookAtAccount } from './look-at-account.ts';
import {
  asServerError,
  changeRefusal,
  ERROR,
  type ServerError,
  wantsAnotherForm,
  wordsOf,
} from './server-errors.ts';
import { type MysqlSession, openSession } from './session.ts';

/**
 * Sets a new password and nothing else, as the account itself or as an administrator. As an administrator,
 * reads the state first: an account that cannot log in is refused, or is changed and reported as blocked.
 * Does not verify: log in with the new password afterwards.
 */
export async function rotateMysql(
  config: MysqlConfig,
  account: Account,
  secrets: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  const problem = newPasswordProblem(secrets.next);
  if (problem !== undefined) return { outcome: 'refused', kind: 'policy', reason: problem };
  try {
    if (!isUserName(account.username))
      throw new ConnectorError(
        'configuration',
        'A user name has 1 to 128 characters and no control characters.',
      );
    const login = changingLogin(config, account, secrets);
    const isSelf = config.rotateAs === 'self';
    await using session = await openSession(config, login, ctx, operationSignal(ctx), {
      mayBeExpired: isSelf,
    });
    const plan = isSelf
      ? await planOfAccount(session, secrets)
      : await planOfAdmin(session, config, account.username, secrets);
    return await change(session, plan, secrets.next, ctx);
  } catch (error) {
    return failureBeforeChange(withServerWords(error));
  }
}

/** The statements to try in order; each is another form of the same change. */
interface Plan {
  readonly statements: readonly string[];
  readonly blocked?: BlockedAccount;
}

/**
 * MariaDB logs statements unchanged, so the hash is sent. A server whose password policy must check the clear
 * password refuses the hash and then gets the password.
 */
async function planOfAccount(session: MysqlSession, { current, next }: RotationSecrets): Promise<Plan> {
  if (!session.isMariaDb) {
    const statement = `ALTER USER CURRENT_USER() IDENTIFIED BY ${literal(next)}`;
    // PASSWORD REQUIRE CURRENT; servers before 8.0.13 do not know the clause.
    return { statements: [statement, `${statement} REPLACE ${literal(current ?? '')}`] };
  }
  const clear = `SET PASSWORD = PASSWORD(${literal(next)})`;
  const hashed = (one: Alternative) => `SET PASSWORD = ${literal(storedForm(one, next))}`;
  // An expired account cannot query its plugin: the server refuses the hash of another plugin.
  if (session.mustChangePassword)
    return {
      statements: [
        ...['mysql_native_password', 'ed25519'].map((plugin) => hashed({ plugin, stored: '' })),
        clear,
      ],
    };
  const [only, second] = (await ownAlternatives(session)).filter(hasPassword);
  if (only === undefined || second !== undefined)
    throw new ConnectorError(
      'permission',
      only === undefined
        ? 'The account has no password that it can change itself.'
        : 'The account has several passwords, and can change only the first one itself.',
      { hint: 'Rotate it as an administrator: rotateAs: admin. See SHOW CREATE USER.' },
    );
  return { statements: [hashed(only), clear] };
}

async function ownAlternatives(session: MysqlSession): Promise<Alternative[]> {
  const [row] = await session.query('SHOW CREATE USER CURRENT_USER()');
  return alternativesOfDefinition(String(Object.values(row ?? {})[0]));
}

async function planOfAdmin(
  session: MysqlSession,
  config: MysqlConfig,
  user: string,
  { next, evenIfBlocked = false }: RotationSecrets,
): Promise<Plan> {
  const look = await lookAtAccount(session, config, user);
  const { blocked } = look;
  if (blocked !== undefined && !evenIfBlocked)
    throw new ConnectorError('not_possible', blocked.reason, { hint: blocked.hint });
  return {
    statements: adminStatements(session, user, look, next),
    ...(blocked === undefined ? {} : { blocked }),
  };
}

/**
 * SET PASSWORD is used if it changes all passwords of the account and nothing else. With several alternatives
 * it changes only the first, and it clears PASSWORD EXPIRE, which ALTER USER sets again in the same
 * statement. ALTER USER in turn clears a block by max_password_errors, which cannot be read or set.
 */
function adminStatements(session: MysqlSession, user: string, look: AccountLook, next: string): string[] {
  const name = accountName(user, look.host);
  const expire = look.mustChange ? ' PASSWORD EXPIRE' : '';
  if (!session.isMariaDb) return [`ALTER USER ${name} IDENTIFIED BY ${literal(next)}${expire}`];
  const hash = (one: Alternative) => literal(storedForm(one, next));
  const clear = `PASSWORD(${literal(next)})`;
  const [only, second] = look.alternatives;
  if (only !== undefined && second === undefined && !look.mustChange)
    return [`SET PASSWORD FOR ${name} = ${hash(only)}`, `SET PASSWORD FOR ${name} = ${clear}`];
  return [hash, () => clear].map(
    (secret) => `ALTER USER ${name} ${identifiedVia(look.alternatives, secret)}${expire}`,
  );
}

const UNANSWERED = 'The connection ended before the server answered the change.';

/**
 * Sends the change. After that, only an error that the server reports for the statement itself is a refusal.
 */
async function change(
  session: MysqlSession,
  { statements, blocked }: Plan,
  next: string,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  let refused: ServerError | undefined;
  for (const statement of statements) {
    await assertMayChange(ctx);
    try {
      await session.query(statement);
      return { outcome: 'applied', ...(blocked === undefined ? {} : { blocked }) };
    } catch (error) {
      const said = asServerError(error);
      if (said === undefined) return { outcome: 'ambiguous', reason: UNANSWERED };
      refused = await causeOf(session, said);
      if (refused === undefined) return { outcome: 'ambiguous', reason: UNANSWERED };
      if (refused.errno === ERROR.setPasswordAuthPlugin)
        return await afterSkippedAlternative(session, said, next);
      if (!wantsAnotherForm(refused)) break;
    }
  }
  if (refused === undefined) throw new ConnectorError('protocol', 'No statement could be sent.');
  const hashes = ['mysql_native_password', 'ed25519'].map((plugin) =>
    storedForm({ plugin, stored: '' }, next),
  );
  return { outcome: 'refused', reason: wordsOf(refused, [next, ...hashes]), ...changeRefusal(refused) };
}

/**
 * Returns the server's error for the statement, or its cause. Returns undefined if the session has ended: an
 * error of the statement rolls back, but the end of the session may hide a commit.
 */
async function causeOf(session: MysqlSession, said: ServerError): Promise<ServerError | undefined> {
  try {
    const warnings = await session.query('SHOW WARNINGS');
    if (said.errno !== ERROR.cannotUser && said.errno !== ERROR.setPasswordAuthPlugin) return said;
    const cause = warnings.find(({ Level, Code }) => Level === 'Error' && Number(Code) !== said.errno);
    return cause === undefined ? said : { errno: Number(cause.Code), sqlMessage: String(cause.Message) };
  } catch (error) {
    // The session is alive, but accepts only a change of the password, or no more queries in this hour.
    const errno = asServerError(error)?.errno;
    return errno === ERROR.mustChangePassword || errno === ERROR.userLimitReached ? said : undefined;
  }
}

/**
 * MariaDB reports that the first alternative has no password, but changes the password of the next one. Reads
 * the stored hash to find out which was changed.
 */
async function afterSkippedAlternative(
  session: MysqlSession,
  said: ServerError,
  next: string,
): Promise<RotateResult> {
  try {
    const own = (await ownAlternatives(session)).filter(hasPassword);
    if (own.some((one) => one.stored === storedForm(one, next))) return { outcome: 'applied' };
  } catch {
    // The state is unknown.
  }
  return { outcome: 'ambiguous', reason: wordsOf(said) };
}

/** Converts errors of the statements that only read. */
function withServerWords(error: unknown): unknown {
  const said = asServerError(error);
  if (said === undefined) return error;
  const { kind, hint } = changeRefusal(said);
  return new ConnectorError(kind === 'not_now' ? kind : 'permission', wordsOf(said), { cause: error, hint });
}
