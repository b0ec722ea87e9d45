import type { ConnectorContext, RotateResult, RotationSecrets } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { assertMayChange } from '../deadline.ts';
import { serverText } from '../server-text.ts';
import { type AccountState, accountState } from './account-state.ts';
import type { SshConfig } from './config.ts';
import { refusalIn } from './passwd-messages.ts';
import { asRoot, type RunAsRoot, throughSudo } from './run-as-root.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import type { SshSession } from './session.ts';
import { sha512Crypt } from './sha512-crypt.ts';

/**
 * Sets another account's password with `chpasswd`, which reads `name:password` from its input. `username`
 * must have passed `isAccountName`. An account that cannot log in is refused (`not_possible`); with
 * `evenIfBlocked` the password is set and the account stays blocked. Throws ConnectorError for any failure
 * before the password is sent.
 */
export async function rotateAsAdmin(
  session: SshSession,
  config: SshConfig,
  username: string,
  { admin, next, evenIfBlocked = false }: RotationSecrets,
  ctx: Pick<ConnectorContext, 'mayChange'> = {},
): Promise<RotateResult> {
  const isRoot = config.privilege === 'root';
  const run = isRoot ? await asRoot(session) : throughSudo(session, admin?.password);
  await assertExists(session, username);
  const state = await accountState(session, run, isRoot, username);
  if (state.blocked !== undefined && !evenIfBlocked)
    return { outcome: 'refused', kind: 'not_possible', ...state.blocked };
  const result = await change(run, username, next, state, ctx);
  if (result.exitCode === 0) return applied(run, username, state);
  const said = serverText(result.output, [next, admin?.password]);
  if (result.exitCode === undefined)
    return { outcome: 'ambiguous', reason: 'The connection ended before chpasswd reported its result.' };
  // chpasswd prints this if it has discarded the whole input.
  const refusal =
    refusalIn(said) ?? (/changes ignored/i.test(said) ? ({ kind: 'permission' } as const) : undefined);
  if (refusal !== undefined) return { outcome: 'refused', ...refusal, reason: said };
  return { outcome: 'ambiguous', reason: `chpasswd ended with code ${result.exitCode}: ${said}` };
}

async function assertExists(session: SshSession, username: string): Promise<void> {
  const { exitCode, output } = await runCommand(session, 'IFS= read -r n; id -u -- "$n"', {
    stdin: async () => `${username}\n`,
  });
  if (exitCode === undefined)
    throw new ConnectorError('unreachable', 'The connection ended before the change was sent.');
  if (exitCode !== 0 || !/^\d+$/.test(output.trim()))
    throw new ConnectorError('permission', 'The host has no account of this name.', {
      hint: 'Compare the name with the output of getent passwd on the host.',
    });
}

/**
 * `chpasswd` would unlock a locked account. `chpasswd -e` writes the given hash: a `!` before the hash keeps
 * the account locked all the time.
 */
function change(
  run: RunAsRoot,
  username: string,
  next: string,
  { locked }: AccountState,
  ctx: Pick<ConnectorContext, 'mayChange'>,
): Promise<CommandResult> {
  const password = locked ? `!${sha512Crypt(next)}` : next;
  return run({
    command: locked ? 'chpasswd -e' : 'chpasswd',
    stdin: async () => {
      await assertMayChange(ctx);
      return `${username}:${password}\n`;
    },
  });
}

/**
 * Both commands set the day of the last change to today. An account that must change its password, or is
 * inactive, gets its former day back. In between it could log in, but only with a password that no one has
 * seen.
 */
async function applied(
  run: RunAsRoot,
  username: string,
  { keepDay, blocked }: AccountState,
): Promise<RotateResult> {
  const command = `chage -d ${keepDay} -- "$n"`;
  const isAsBefore =
    keepDay === undefined ||
    (await run({ command, name: username }).then(
      ({ exitCode }) => exitCode === 0,
      () => false,
    ));
  if (blocked === undefined) return { outcome: 'applied' };
  if (isAsBefore) return { outcome: 'applied', blocked };
  return {
    outcome: 'applied',
    blocked: {
      reason: `${blocked.reason} The day of the last change could not be restored, so the account's age no longer blocks it.`,
      hint: `Restore it on the host: chage -d ${keepDay} ${username}`,
    },
  };
}
