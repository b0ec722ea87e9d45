import { randomBytes } from 'node:crypto';
import { ConnectorError } from '../connector-error.ts';
import { serverText } from '../server-text.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import type { SshSession } from './session.ts';

const lost = 'The connection ended before the change was sent.';

/**
 * Runs `chpasswd` through sudo with `line` as its input. First asks sudo whether the command is permitted, which settles the
 * administrator's password with nothing else at stake and shows whether sudo asks for it: a password that sudo does not read
 * would become input of chpasswd. Throws ConnectorError when chpasswd surely did not run.
 */
export async function chpasswdThroughSudo(
  session: SshSession,
  line: () => Promise<string>,
  password: string | undefined,
): Promise<CommandResult> {
  const check = await promptedSudo(session, '-l -- chpasswd', async () =>
    password === undefined ? '' : `${password}\n`,
  );
  if (check.exitCode === undefined) throw new ConnectorError('unreachable', lost);
  if (check.exitCode !== 0) {
    const refused = check.prompts > 1 || (check.prompts === 1 && password === undefined);
    const said = serverText(check.stderr, [password]);
    if (refused)
      throw new ConnectorError('authentication', `sudo refused the administrator's password. ${said}`);
    throw new ConnectorError('permission', `The administrator may not run chpasswd through sudo. ${said}`);
  }
  if (check.prompts === 0) {
    const result = await runCommand(session, 'env LC_ALL=C sudo -n -- chpasswd', { stdin: line });
    // sudo lists without a password when any of its rules needs none; this command may be under another rule.
    const needsPassword = result.exitCode === 1 && /^sudo: a password is required/m.test(result.stderr);
    if (!needsPassword) return result;
    if (password === undefined)
      throw new ConnectorError(
        'permission',
        'sudo asks for a password, and the administrator has none stored.',
      );
  }
  const result = await promptedSudo(session, '-- chpasswd', async () => `${password}\n${await line()}`);
  if (result.exitCode === undefined && result.prompts === 0) throw new ConnectorError('unreachable', lost);
  // The second question took the line itself, so that none of it reached chpasswd.
  if (result.exitCode !== 0 && result.prompts > 1)
    throw new ConnectorError('authentication', "sudo refused the administrator's password for this command.");
  return result;
}

/** Answers sudo's first question with `input`, then ends the input; says how often sudo asked. */
async function promptedSudo(
  session: SshSession,
  command: string,
  input: () => Promise<string>,
): Promise<CommandResult & { readonly prompts: number }> {
  const marker = `claviger-${randomBytes(12).toString('hex')}:`;
  let answered = false;
  let withheld: unknown;
  const result = await runCommand(session, `env LC_ALL=C sudo -k -S -p ${marker} ${command}`, {
    converse: (recent, channel) => {
      if (answered || !recent.includes(marker)) return false;
      answered = true;
      input().then(
        (text) => channel.end(text),
        (error: unknown) => {
          withheld = error;
          channel.destroy();
        },
      );
      return true;
    },
  });
  if (withheld) throw withheld;
  return {
    ...result,
    stderr: result.stderr.replaceAll(marker, ''),
    prompts: result.stderr.split(marker).length - 1,
  };
}
