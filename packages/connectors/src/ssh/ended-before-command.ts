import { ConnectorError } from '../connector-error.ts';
import { serverText } from '../server-text.ts';

/** The host accepts the login only to change the password. */
export class PasswordMustChange extends ConnectorError {
  constructor() {
    super('not_possible', 'The host requires a password change before it accepts the login.', {
      hint: "Change it as an administrator (rotateAs: 'admin'), or remove the flag: chage -d $(date +%F) NAME.",
    });
  }
}

/**
 * Interprets the end of a session before the command ran. `code` is the exit code of the login shell,
 * undefined if the connection ended; `said` is the output until then.
 */
export function endedBeforeCommand(code: number | undefined, said: string): ConnectorError {
  if (code === undefined)
    return new ConnectorError('unreachable', 'The connection ended before the command could be started.', {
      hint: "If this happens each time, a start-up file of the login shell blocks: 'ssh NAME@HOST true' must end at once.",
    });
  // sshd prints this if no terminal was requested.
  if (/Password change required but no TTY available/.test(said)) return new PasswordMustChange();
  // With this code sshd shows /etc/nologin, if PAM does not.
  if (code === 254)
    return new ConnectorError('not_now', `The host accepts no logins now. ${serverText(said)}`.trim(), {
      hint: 'Remove /etc/nologin on the host when its maintenance is over.',
    });
  const words = serverText(said);
  return new ConnectorError(
    'not_possible',
    `The login shell ended (code ${code}) without running the command.${words === '' ? '' : ` It printed: ${words}`}`,
    {
      hint:
        "'ssh NAME@HOST true' must end with code 0: check the account's shell (chsh -s /bin/sh NAME), its start-up files, " +
        'and ForceCommand in sshd_config.',
    },
  );
}
