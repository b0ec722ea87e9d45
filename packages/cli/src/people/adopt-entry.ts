import * as vault from '@claviger/contracts/vault/v1/vault';
import { tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { entryId } from './find-by-name.ts';
import { withSession } from './session.ts';
import { showJson, timeText } from './show.ts';

/** The command `entries adopt`. */
export function adoptEntry(
  name: string,
  options: ConnectionOptions & { readonly reason: string },
): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const answer = await api.call(vault.EntriesService.adoptEntry, {
      entryId: await entryId(api, name),
      reason: options.reason,
    });
    if (format === 'json') return showJson(answer);
    if (answer.state === 'adopted') tell(`adopted: its owner is ${answer.ownerId}`);
    else tell(`proposed: another administrator confirms it until ${timeText(answer.expiresAt)}`);
  });
}
