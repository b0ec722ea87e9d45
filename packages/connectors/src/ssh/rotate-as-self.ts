import type { ConnectorContext, RefusalKind, RotateResult } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { assertMayChange } from '../deadline.ts';
import { serverText } from '../server-text.ts';
import { PasswordMustChange } from './ended-before-command.ts';
import { type Prompt, promptAtEnd, refusalIn } from './passwd-messages.ts';
import { type CommandResult, type Converse, runCommand, runOnTerminal } from './run-command.ts';
import type { SshSession } from './session.ts';

/**
 * Changes the password of the account that is logged in: runs `passwd` and answers each prompt. `passwd`
 * changes nothing before the new password was typed twice, so any earlier failure keeps the former password.
 * For an account that may only change its password, requests a terminal: sshd then runs `passwd` itself.
 */
export async function rotateAsSelf(
  session: SshSession,
  username: string,
  current: string,
  next: string,
  ctx: Pick<ConnectorContext, 'mayChange'> = {},
): Promise<RotateResult> {
  const talk = passwdTalk(current, next, ctx);
  try {
    await assertLoggedInAs(session, username);
    return talk.outcome(await runCommand(session, 'passwd 2>&1', { converse: talk.converse }));
  } catch (error) {
    if (!(error instanceof PasswordMustChange)) throw error;
    return talk.outcome(await runOnTerminal(session, 'env LC_ALL=C passwd', talk.converse));
  }
}

/**
 * A forced command or a mapped login can run the session as another account, whose password must not be
 * changed.
 */
async function assertLoggedInAs(session: SshSession, username: string): Promise<void> {
  const loggedIn = await printed(session, 'id -un');
  if (loggedIn === username) return;
  // A directory accepts several spellings of an account; the host reports one of them as its name.
  const name = await printed(session, 'IFS= read -r n; getent passwd -- "$n" | cut -d: -f1', `${username}\n`);
  if (loggedIn !== '' && name === loggedIn) return;
  throw new ConnectorError(
    'permission',
    'The host runs this session as another account than the one that logged in.',
    { hint: 'Several accounts share its uid (getent passwd NUMBER): rotate the first of them.' },
  );
}

async function printed(session: SshSession, command: string, input?: string): Promise<string> {
  const stdin = input === undefined ? {} : { stdin: async () => input };
  const { exitCode, output } = await runCommand(session, command, stdin);
  if (exitCode === undefined)
    throw new ConnectorError('unreachable', 'The connection ended before the change was sent.');
  return output.trim();
}

/** One dialogue with `passwd`, and its result. */
function passwdTalk(
  current: string,
  next: string,
  ctx: Pick<ConnectorContext, 'mayChange'>,
): { readonly converse: Converse; readonly outcome: (result: CommandResult) => RotateResult } {
  let answered: Prompt | 'nothing' = 'nothing';
  let asking = false;
  let rejected: RefusalKind | undefined;

  const converse: Converse = (recent, channel) => {
    const prompt = promptAtEnd(recent);
    if (prompt === undefined || asking || rejected !== undefined) return false;
    if (prompt === 'current' && answered === 'nothing') {
      answered = 'current';
      channel.write(`${current}\n`);
    } else if (prompt === 'new' && (answered === 'current' || answered === 'nothing')) {
      // Root is not asked for the current password.
      answered = 'new';
      channel.write(`${next}\n`);
    } else if (prompt === 'retype' && answered === 'new') {
      asking = true;
      assertMayChange(ctx).then(
        () => {
          asking = false;
          answered = 'retype';
          channel.write(`${next}\n`);
        },
        () => {
          rejected = 'unreachable';
          channel.close();
        },
      );
    } else {
      // The same prompt again: the previous answer was refused.
      rejected = prompt === 'current' ? 'authentication' : 'policy';
      channel.close();
    }
    return true;
  };

  const outcome = (result: CommandResult): RotateResult => {
    const said = serverText(result.output, [current, next]);
    const refusal = refusalIn(said);
    // Messages about the account or the time take precedence over a repeated prompt.
    if (rejected !== undefined)
      return {
        outcome: 'refused',
        reason: said,
        ...(rejected === 'policy' && refusal ? refusal : { kind: rejected }),
      };
    if (answered === 'retype') {
      if (result.exitCode === 0) return { outcome: 'applied' };
      if (result.exitCode === undefined)
        return { outcome: 'ambiguous', reason: 'The connection ended before passwd reported its result.' };
      if (refusal !== undefined) return { outcome: 'refused', ...refusal, reason: said };
      return { outcome: 'ambiguous', reason: `passwd ended with code ${result.exitCode}: ${said}` };
    }
    if (result.exitCode === undefined)
      return {
        outcome: 'refused',
        kind: 'unreachable',
        reason: 'The connection ended before the change was sent.',
      };
    return { outcome: 'refused', ...(refusal ?? { kind: defaultKinds[answered] }), reason: said };
  };

  return { converse, outcome };
}

/** The refusal for an early end of passwd, by the last answered prompt, if its output shows no reason. */
const defaultKinds: Readonly<Record<'nothing' | 'current' | 'new', RefusalKind>> = {
  nothing: 'permission',
  current: 'authentication',
  new: 'policy',
};
