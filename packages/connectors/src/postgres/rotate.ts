import { type Client, DatabaseError, escapeIdentifier, escapeLiteral } from 'pg';
import { candidateProblem } from '../candidate-password.ts';
import type { Account, ConnectorContext, Credential, RotateResult, RotationSecrets } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { assertMayChange, operationSignal } from '../deadline.ts';
import { failureBeforeChange } from '../outcome.ts';
import { serverText } from '../server-text.ts';
import { isRoleName, type PostgresConfig } from './config.ts';
import { scramVerifier } from './scram-verifier.ts';
import { openSession } from './session.ts';

/**
 * Sets a new password with `ALTER ROLE`, as the account itself (its current password is then the proof that nobody changed it
 * meanwhile) or as the administrator. Does not verify: log in with the new password afterwards.
 */
export async function rotatePostgres(
  config: PostgresConfig,
  account: Account,
  secrets: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  const problem = candidateProblem(secrets.next);
  if (problem !== undefined) return { outcome: 'refused', kind: 'policy', reason: problem };
  try {
    if (!isRoleName(account.username))
      throw new ConnectorError('configuration', 'A role name has 1 to 63 bytes and no control characters.');
    const verifier = await scramVerifier(secrets.next);
    const login = loginFor(config, account, secrets);
    await using session = await openSession(config, login, ctx, operationSignal(ctx));
    await assertLoggedInAs(session.client, login.username);
    await assertMayChange(ctx);
    return await alterRole(session.client, account.username, verifier);
  } catch (error) {
    return failureBeforeChange(error);
  }
}

function loginFor(config: PostgresConfig, account: Account, secrets: RotationSecrets): Credential {
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

/** A pooler or a login trigger can leave a session under another name; its password must not be the one that changes. */
async function assertLoggedInAs(client: Client, username: string): Promise<void> {
  const { rows } = await client.query<{ session: string; current: string }>(
    'SELECT session_user AS session, current_user AS current',
  );
  if (rows[0]?.session !== username || rows[0].current !== username)
    throw new ConnectorError(
      'permission',
      'The server runs this session under another role than the one logged in.',
    );
}

/** From here on the change is on its way: only an error that the server reports for the statement itself is a refusal. */
async function alterRole(client: Client, role: string, verifier: string): Promise<RotateResult> {
  try {
    await client.query(`ALTER ROLE ${escapeIdentifier(role)} PASSWORD ${escapeLiteral(verifier)}`);
    return { outcome: 'applied' };
  } catch (error) {
    if (error instanceof DatabaseError && (await isAlive(client))) {
      const reason = `${serverText(error.message, [verifier])} (${error.code ?? 'no code'})`;
      return { outcome: 'refused', kind: refusalKind(error.code), reason };
    }
    return { outcome: 'ambiguous', reason: 'The connection ended before the server answered the change.' };
  }
}

/** Tells an ERROR, which rolls back, from a FATAL, which may hide a commit: only the first leaves the session usable. */
async function isAlive(client: Client): Promise<boolean> {
  try {
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  }
}

/** An ERROR rolls the statement back, so that all of these are certain. */
function refusalKind(sqlState: string | undefined): 'policy' | 'permission' | 'unreachable' {
  // 22023 is what password checking modules raise.
  if (sqlState === '22023' || sqlState === '23514' || sqlState === 'P0001') return 'policy';
  // Cancelled, out of resources, locked, being shut down: the same candidate may pass later.
  if (sqlState !== undefined && /^(?:40|53|55|57|58|XX)/.test(sqlState)) return 'unreachable';
  return 'permission';
}
