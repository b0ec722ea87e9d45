import * as devices from '@claviger/contracts/auth/v1/devices';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { userId } from './find-by-name.ts';
import { withSession } from './session.ts';
import { fieldsText, type OutputFormat, showJson, timeText } from './show.ts';

/** False: none. What is not given stays as it is. */
export interface IdentityOptions extends ConnectionOptions {
  readonly accountName?: string[] | false;
  readonly group?: string[] | false;
}

const service = devices.DirectoryIdentitiesService;

export function getIdentity(user: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { identity } = await api.call(service.getDirectoryIdentity, { userId: await userId(api, user) });
    show(identity!, format);
  });
}

/** Names or groups in whole; refused when somebody else has changed them meanwhile. */
export function setIdentity(user: string, options: IdentityOptions): Promise<void> {
  const { accountName, group } = options;
  if (accountName === undefined && group === undefined)
    throw new CommandError('give --account-name or --no-account-name, --group or --no-group', EXIT.usage);
  return withSession(options, async ({ api, format }) => {
    const who = { userId: await userId(api, user) };
    const before = (await api.call(service.getDirectoryIdentity, who)).identity!;
    const { identity } = await api.call(service.setDirectoryIdentity, {
      ...who,
      accountNames: accountName === false ? [] : (accountName ?? before.accountNames),
      groups: group === false ? [] : (group ?? before.groups),
      rowVersion: before.rowVersion,
    });
    show(identity!, format);
  });
}

function show(identity: devices.DirectoryIdentity, format: OutputFormat): void {
  if (format === 'json') return showJson(identity);
  say(
    fieldsText([
      ['user', identity.userId],
      ['account names', identity.accountNames.join(', ') || 'none'],
      ['groups', identity.groups.join(', ') || 'none'],
      ['changed', timeText(identity.updatedAt)],
    ]),
  );
}
