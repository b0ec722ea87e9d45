import { randomBytes } from 'node:crypto';
import { ConnectorError } from '../connector-error.ts';
import { serverText } from '../server-text.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import type { SshSession } from './session.ts';

const lost = 'The connection ended before the change was sent.';

/** Runs a command of the host as root. Throws ConnectorError if it certainly did not run. */
export type RunAsRoot = (command: RootCommand) => Promise<CommandResult>;

export interface RootCommand {
  /** Fixed text, as for `runCommand`; `"$n"` stands for `name`. */
  readonly command: string;
  readonly name?: string;
  /** Called immediately before the input is sent. */
  readonly stdin?: () => Promise<string>;
}

/** For a login as root. Throws ConnectorError (`permission`) if it is not root. */
export async function asRoot(session: SshSession): Promise<RunAsRoot> {
  const { exitCode, output } = await runCommand(session, 'id -u');
  if (exitCode === undefined) throw new ConnectorError('unreachable', lost);
  if (output.trim() !== '0')
    throw new ConnectorError('permission', 'The administrator is not root on this host.', {
      hint: "Set the target's privilege to 'sudo'.",
    });
  return ({ command, name, stdin }) =>
    runCommand(session, `${readName(name)}PATH=$PATH:/usr/sbin:/sbin; ${command} 2>&1`, {
      stdin: async () => `${nameLine(name)}${(await stdin?.()) ?? ''}`,
    });
}

/**
 * Runs commands through sudo. First asks sudo whether the command is permitted: this checks the
 * administrator's password and shows whether sudo asks for it. A password that sudo does not read would
 * become input of the command.
 */
export function throughSudo(session: SshSession, password: string | undefined): RunAsRoot {
  return async ({ command, name, stdin = async () => '' }) => {
    const check = await promptedSudo(session, `-l -- ${command}`, name, async () =>
      password === undefined ? '' : `${password}\n`,
    );
    if (check.exitCode === undefined) throw new ConnectorError('unreachable', lost);
    if (check.exitCode !== 0) {
      const refused = check.prompts > 1 || (check.prompts === 1 && password === undefined);
      const said = serverText(check.output, [password]);
      if (refused)
        throw new ConnectorError('authentication', `sudo refused the administrator's password. ${said}`);
      const program = command.split(' ', 1)[0];
      throw new ConnectorError(
        'permission',
        `The administrator may not run ${program} through sudo. ${said}`,
        {
          hint: `Add a rule with visudo: ADMINISTRATOR ALL=(root) NOPASSWD: /usr/sbin/${program} (without requiretty).`,
        },
      );
    }
    if (check.prompts === 0) {
      const input = async () => `${nameLine(name)}${await stdin()}`;
      const result = await runCommand(session, `${readName(name)}sudo -n -- ${command} 2>&1`, {
        stdin: input,
      });
      // `sudo -l` needs no password if any rule needs none, but another rule may apply to this command.
      const needsPassword = result.exitCode === 1 && /^sudo: a password is required/m.test(result.output);
      if (!needsPassword) return result;
      if (password === undefined)
        throw new ConnectorError(
          'permission',
          'sudo asks for a password, and none is stored for the administrator.',
          {
            hint: "Store the administrator's password, or add NOPASSWD to sudo's rule.",
          },
        );
    }
    const input = async () => `${password}\n${await stdin()}`;
    const result = await promptedSudo(session, `-- ${command}`, name, input);
    if (result.exitCode === undefined && result.prompts === 0) throw new ConnectorError('unreachable', lost);
    // The second prompt consumed the input, so none of it reached the command.
    if (result.exitCode !== 0 && result.prompts > 1)
      throw new ConnectorError(
        'authentication',
        "sudo refused the administrator's password for this command.",
      );
    return result;
  };
}

/** Answers sudo's first prompt with `input`, then ends the input; reports how often sudo asked. */
async function promptedSudo(
  session: SshSession,
  command: string,
  name: string | undefined,
  input: () => Promise<string>,
): Promise<CommandResult & { readonly prompts: number }> {
  const marker = `claviger-${randomBytes(12).toString('hex')}:`;
  let answered = false;
  let withheld: unknown;
  const result = await runCommand(session, `${readName(name)}sudo -k -S -p ${marker} ${command} 2>&1`, {
    first: nameLine(name),
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
    output: result.output.replaceAll(marker, ''),
    prompts: result.output.split(marker).length - 1,
  };
}

const readName = (name: string | undefined): string => (name === undefined ? '' : 'IFS= read -r n; ');
const nameLine = (name: string | undefined): string => (name === undefined ? '' : `${name}\n`);
