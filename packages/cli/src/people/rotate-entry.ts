import * as vault from '@claviger/contracts/vault/v1/vault';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { parseSeconds } from './duration.ts';
import { rotationColumns } from './entries.ts';
import { entryId } from './find-by-name.ts';
import { pollUntil } from './poll.ts';
import { withSession } from './session.ts';
import { showJson, tableText } from './show.ts';

export interface RotateOptions extends ConnectionOptions {
  readonly reason?: string;
  readonly secretLost?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
}

const service = vault.EntriesService;

/** Neither done nor given up. */
export const isUnderWay = ({ state }: vault.Rotation) => state === 'pending' || state === 'applying';

/** The command `entries rotate`: with --wait, exit code 0 only when the target's new password was proven. */
export function rotateEntry(name: string, options: RotateOptions): Promise<ExitCode> {
  const timeoutMs = parseSeconds(options.timeout, '--timeout') * 1000;
  return withSession(options, async ({ api, format }) => {
    const id = await entryId(api, name);
    const { reason = '', wait = false, secretLost = false } = options;
    const asked = (await api.call(service.rotateEntry, { entryId: id, reason, secretLost })).rotation!;
    const read = async () =>
      (await api.call(service.getRotation, { entryId: id, rotationId: asked.id })).rotation!;
    const ended = (rotation: vault.Rotation) => !isUnderWay(rotation);
    const rotation = wait ? await pollUntil(read, ended, { timeoutMs, everyMs: 1_000 }) : asked;
    if (format === 'json') showJson(rotation);
    else say(tableText(rotationColumns, [rotation]));
    if (!wait) tell(`queued: \`claviger entries rotations ${id}\` follows it`);
    if (!wait || rotation.state === 'verified') return EXIT.ok;
    return isUnderWay(rotation) ? EXIT.pending : EXIT.error;
  });
}
