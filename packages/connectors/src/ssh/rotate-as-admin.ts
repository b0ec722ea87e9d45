import type { ConnectorContext, Credential, RotateResult } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { assertMayChange } from '../deadline.ts';
import { serverText } from '../server-text.ts';
import { chpasswdThroughSudo } from './chpasswd-through-sudo.ts';
import type { SshConfig } from './config.ts';
import { refusalIn } from './passwd-messages.ts';
import { runCommand } from './run-command.ts';
import type { SshSession } from './session.ts';

/**
 * Sets another account's password with `chpasswd`, which reads `name:password` from its input. `username` must have passed
 * `isAccountName`. Throws ConnectorError for whatever goes wrong before the password is sent.
 */
export async function rotateAsAdmin(
  session: SshSession,
  config: SshConfig,
  admin: Credential,
  username: string,
  next: string,
  ctx: Pick<ConnectorContext, 'mayChange'> = {},
): Promise<RotateResult> {
  await assertExists(session, username);
  // Asked for when the input is about to be sent.
  const line = async () => {
    await assertMayChange(ctx);
    return `${username}:${next}\n`;
  };
  const result =
    config.privilege === 'root'
      ? await asRoot(session, line)
      : await chpasswdThroughSudo(session, line, admin.password);
  if (result.exitCode === 0) return { outcome: 'applied' };
  const said = serverText(`${result.stdout} ${result.stderr}`, [next, admin.password]);
  if (result.exitCode === undefined)
    return { outcome: 'ambiguous', reason: 'The connection ended before chpasswd reported how it went.' };
  // chpasswd says so when it has given up the whole input.
  const kind = refusalIn(said) ?? (/changes ignored/i.test(said) ? 'permission' : undefined);
  if (kind !== undefined) return { outcome: 'refused', kind, reason: said };
  return { outcome: 'ambiguous', reason: `chpasswd ended with code ${result.exitCode}: ${said}` };
}

async function assertExists(session: SshSession, username: string): Promise<void> {
  const { exitCode, stdout } = await runCommand(session, `id -u -- ${username}`);
  if (exitCode === undefined)
    throw new ConnectorError('unreachable', 'The connection ended before the change was sent.');
  if (exitCode !== 0 || !/^\d+$/.test(stdout.trim()))
    throw new ConnectorError('permission', 'The host knows no account of this name.');
}

async function asRoot(session: SshSession, line: () => Promise<string>) {
  const { exitCode, stdout } = await runCommand(session, 'id -u');
  if (exitCode === undefined)
    throw new ConnectorError('unreachable', 'The connection ended before the change was sent.');
  if (stdout.trim() !== '0')
    throw new ConnectorError('permission', 'The administrator is not root on this host.', {
      hint: "Set the target's privilege to 'sudo'.",
    });
  return runCommand(session, 'env LC_ALL=C chpasswd', { stdin: line });
}
