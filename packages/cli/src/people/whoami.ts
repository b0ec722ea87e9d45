import * as auth from '@claviger/contracts/auth/v1/auth';
import { say } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { withSession } from './session.ts';
import { fieldsText, showJson } from './show.ts';

/** The command `whoami`. */
export function whoami(options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, connection, format }) => {
    const answer = await api.call(auth.AuthService.getCurrentUser, {});
    if (format === 'json') return showJson({ server: connection.server, ...answer });
    const { user, permissions, tenant, tenantId } = answer;
    say(
      fieldsText([
        ['user', user?.username],
        ['name', user?.displayName],
        ['id', user?.id],
        ['server', connection.server],
        ['tenant', tenant || tenantId],
        ['roles', user?.roles.join(', ')],
        ['second factor', user?.mfaEnabled ? 'on' : 'off'],
        ['may', permissions.join(' ')],
      ]),
    );
  });
}
