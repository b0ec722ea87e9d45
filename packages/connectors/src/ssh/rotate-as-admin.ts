import { randomBytes } from 'node:crypto';
import type { Credential, RotateResult } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { serverText } from '../server-text.ts';
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
): Promise<RotateResult> {
  await assertExists(session, username);
  const line = `${username}:${next}\n`;
  const result =
    config.privilege === 'root'
      ? await asRoot(session, line)
      : await throughSudo(session, line, admin.password);
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

async function asRoot(session: SshSession, line: string) {
  const { exitCode, stdout } = await runCommand(session, 'id -u');
  if (exitCode === undefined)
    throw new ConnectorError('unreachable', 'The connection ended before the change was sent.');
  if (stdout.trim() !== '0')
    throw new ConnectorError('permission', 'The administrator is not root on this host.', {
      hint: "Set the target's privilege to 'sudo'.",
    });
  return runCommand(session, 'env LC_ALL=C chpasswd', { stdin: line });
}

/**
 * First asks sudo whether the command is permitted, which settles the administrator's password without anything else at stake and
 * shows whether sudo asks for it at all: a password that sudo does not read would become input of chpasswd.
 */
async function throughSudo(session: SshSession, line: string, password: string | undefined) {
  const marker = `claviger-${randomBytes(12).toString('hex')}:`;
  let prompts = 0;
  const answerPrompt = (onPrompt: (write: (text: string) => void, end: () => void) => void) => {
    let readTo = 0;
    return (output: string, channel: { write(text: string): unknown; end(): unknown }) => {
      const at = output.indexOf(marker, readTo);
      if (at < 0) return;
      readTo = at + marker.length;
      prompts += 1;
      onPrompt(
        (text) => channel.write(text),
        () => channel.end(),
      );
    };
  };
  const check = await runCommand(session, `env LC_ALL=C sudo -k -S -p ${marker} -l -- chpasswd`, {
    converse: answerPrompt((write, end) => {
      if (prompts === 1 && password !== undefined) write(`${password}\n`);
      end();
    }),
  });
  if (check.exitCode === undefined)
    throw new ConnectorError('unreachable', 'The connection ended before the change was sent.');
  if (check.exitCode !== 0) {
    const said = serverText(check.stderr.replaceAll(marker, ''), [password]);
    if (prompts > 1 || (prompts === 1 && password === undefined))
      throw new ConnectorError('authentication', `sudo refused the administrator's password: ${said}`);
    throw new ConnectorError('permission', `The administrator may not run chpasswd through sudo: ${said}`);
  }
  if (prompts === 0) return runCommand(session, 'env LC_ALL=C sudo -n -- chpasswd', { stdin: line });
  return runCommand(session, `env LC_ALL=C sudo -k -S -p ${marker} -- chpasswd`, {
    converse: answerPrompt((write, end) => {
      write(`${password}\n${line}`);
      end();
    }),
  });
}
