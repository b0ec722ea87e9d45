import type { ConnectorContext, RefusalKind, RotateResult } from '../connector.ts';
import { assertMayChange } from '../deadline.ts';
import { serverText } from '../server-text.ts';
import { type Prompt, promptAtEnd, refusalIn } from './passwd-messages.ts';
import { runCommand } from './run-command.ts';
import type { SshSession } from './session.ts';

/**
 * Changes the password of the account that is logged in, with `passwd`, answering each prompt when it appears. `passwd` touches
 * nothing before the new password was typed twice, so everything that goes wrong earlier leaves the old one in place.
 */
export async function rotateAsSelf(
  session: SshSession,
  current: string,
  next: string,
  ctx: Pick<ConnectorContext, 'mayChange'> = {},
): Promise<RotateResult> {
  const talk: { answered: Prompt | 'nothing'; asking: boolean; rejected?: RefusalKind } = {
    answered: 'nothing',
    asking: false,
  };

  // `env` rather than a shell assignment: the account's login shell need not be a POSIX one.
  const result = await runCommand(session, 'env LC_ALL=C passwd', {
    converse: (recent, channel) => {
      const prompt = promptAtEnd(recent);
      if (prompt === undefined || talk.asking || talk.rejected !== undefined) return false;
      if (prompt === 'current' && talk.answered === 'nothing') {
        talk.answered = 'current';
        channel.write(`${current}\n`);
      } else if (prompt === 'new' && (talk.answered === 'current' || talk.answered === 'nothing')) {
        // Root is not asked for the current password.
        talk.answered = 'new';
        channel.write(`${next}\n`);
      } else if (prompt === 'retype' && talk.answered === 'new') {
        talk.asking = true;
        assertMayChange(ctx).then(
          () => {
            talk.asking = false;
            talk.answered = 'retype';
            channel.write(`${next}\n`);
          },
          () => {
            talk.rejected = 'unreachable';
            channel.end();
          },
        );
      } else {
        // Asked for the same again: what was typed before was turned down.
        talk.rejected = prompt === 'current' ? 'authentication' : 'policy';
        channel.end();
      }
      return true;
    },
  });

  const { answered, rejected } = talk;
  const said = serverText(`${result.stdout} ${result.stderr}`, [current, next]);
  if (rejected !== undefined) return { outcome: 'refused', kind: rejected, reason: said };
  if (result.exitCode === undefined) {
    return answered === 'retype'
      ? { outcome: 'ambiguous', reason: 'The connection ended before passwd reported how it went.' }
      : {
          outcome: 'refused',
          kind: 'unreachable',
          reason: 'The connection ended before the change was sent.',
        };
  }
  if (answered === 'retype') {
    if (result.exitCode === 0) return { outcome: 'applied' };
    const kind = refusalIn(said);
    if (kind !== undefined) return { outcome: 'refused', kind, reason: said };
    return { outcome: 'ambiguous', reason: `passwd ended with code ${result.exitCode}: ${said}` };
  }
  return { outcome: 'refused', kind: refusalIn(said) ?? defaultKinds[answered], reason: said };
}

/** What an early end of passwd means, by the last answer it got, when its words do not tell. */
const defaultKinds: Readonly<Record<'nothing' | 'current' | 'new', RefusalKind>> = {
  nothing: 'permission',
  current: 'authentication',
  new: 'policy',
};
