import { ConnectorError } from '../connector-error.ts';
import { serverText } from '../server-text.ts';

/** The account is let in for nothing but to change its password. */
export class PasswordMustChange extends ConnectorError {
  constructor() {
    super('not_possible', 'The host wants the password changed before it lets the account in.', {
      hint: "Change it by an administrator (rotateAs: 'admin'), or take the flag away: chage -d $(date +%F) NAME.",
    });
  }
}

/**
 * What it means that the host ended a session before the command ran: `code` as the login shell ended,
 * undefined when the connection did; `said` is what was printed until then.
 */
export function endedBeforeCommand(code: number | undefined, said: string): ConnectorError {
  if (code === undefined)
    return new ConnectorError('unreachable', 'The connection ended before the command could be started.', {
      hint: "Where it ends each time, a start-up file of the login shell waits: 'ssh NAME@HOST true' must end at once.",
    });
  // sshd says so itself, where no terminal was asked for.
  if (/Password change required but no TTY available/.test(said)) return new PasswordMustChange();
  // With this code sshd shows /etc/nologin, where PAM does not.
  if (code === 254)
    return new ConnectorError('not_now', `The host lets nobody in for now. ${serverText(said)}`.trim(), {
      hint: 'Remove /etc/nologin on the host when its maintenance is over.',
    });
  const words = serverText(said);
  return new ConnectorError(
    'not_possible',
    `The login shell ended (code ${code}) without running the command.${words === '' ? '' : ` It said: ${words}`}`,
    {
      hint:
        "'ssh NAME@HOST true' must end with code 0: look at the account's shell (chsh -s /bin/sh NAME), its start-up files, " +
        'and ForceCommand in sshd_config.',
    },
  );
}
