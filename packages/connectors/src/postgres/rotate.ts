import { type Client, DatabaseError, escapeIdentifier, escapeLiteral } from 'pg';
import type { Account, ConnectorContext, RotateResult, RotationSecrets } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { assertMayChange, operationSignal } from '../deadline.ts';
import { newPasswordProblem } from '../new-password.ts';
import { failureBeforeChange } from '../outcome.ts';
import { changingLogin } from '../rotation-secrets.ts';
import { isRoleName, type PostgresConfig } from './config.ts';
import { lookAtRole } from './look-at-role.ts';
import { scramVerifier } from './scram-verifier.ts';
import { changeRefusal, wordsOf } from './server-errors.ts';
import { openSession } from './session.ts';

/**
 * Sets a new password and nothing else with `ALTER ROLE`, as the account itself (the login with the current
 * password shows that no one else changed it) or as an administrator. Reads the role first: a role that
 * cannot log in is refused, or is changed and reported as blocked. Does not verify: log in with the new
 * password afterwards.
 */
export async function rotatePostgres(
  config: PostgresConfig,
  account: Account,
  secrets: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  const problem = newPasswordProblem(secrets.next);
  if (problem !== undefined) return { outcome: 'refused', kind: 'policy', reason: problem };
  try {
    if (!isRoleName(account.username))
      throw new ConnectorError('configuration', 'A role name has 1 to 63 bytes and no control characters.');
    const verifier = await scramVerifier(secrets.next);
    const login = changingLogin(config, account, secrets);
    await using session = await openSession(config, login, ctx, operationSignal(ctx));
    const blocked = await lookAtRole(session.client, login.username, account.username);
    if (blocked !== undefined && secrets.evenIfBlocked !== true)
      throw new ConnectorError('not_possible', blocked.reason, { hint: blocked.hint });
    await assertMayChange(ctx);
    const result = await alterRole(session.client, account.username, login.username, verifier);
    return result.outcome === 'applied' && blocked !== undefined ? { ...result, blocked } : result;
  } catch (error) {
    return failureBeforeChange(withServerWords(error, account.username, secrets));
  }
}

/**
 * Sends the change. After that, only an error that the server reports for the statement itself is a refusal.
 */
async function alterRole(
  client: Client,
  role: string,
  login: string,
  verifier: string,
): Promise<RotateResult> {
  try {
    await client.query(`ALTER ROLE ${escapeIdentifier(role)} PASSWORD ${escapeLiteral(verifier)}`);
    return { outcome: 'applied' };
  } catch (error) {
    if (error instanceof DatabaseError && (await isAlive(client)))
      return { outcome: 'refused', reason: wordsOf(error, [verifier]), ...changeRefusal(error, role, login) };
    return { outcome: 'ambiguous', reason: 'The connection ended before the server answered the change.' };
  }
}

/** An ERROR rolls back; a FATAL may hide a commit. Only after an ERROR can the session still be used. */
async function isAlive(client: Client): Promise<boolean> {
  try {
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  }
}

/** Converts errors of the statement that only reads. */
function withServerWords(error: unknown, role: string, { current, admin }: RotationSecrets): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const secrets = [current, admin?.password].filter((secret) => secret !== undefined);
  const { kind, hint } = changeRefusal(error, role, admin?.username ?? role);
  return new ConnectorError(kind === 'not_now' ? kind : 'permission', wordsOf(error, secrets), {
    cause: error,
    hint,
  });
}
