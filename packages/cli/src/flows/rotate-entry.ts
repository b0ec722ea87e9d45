import { pollUntil } from '@claviger/api-client/poll';
import { parseSeconds } from '@claviger/terminal/duration';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, tell } from '@claviger/terminal/output';
import { tableText } from '../contract/cells.ts';
import type { Column, Running } from '../contract/noun.ts';
import { printForPrograms } from '../contract/print-answer.ts';

interface Answer {
  readonly rotation: { readonly id: string; readonly state: string };
}

/**
 * The command `entries rotate`: with --wait, exit code 0 only when the new password was verified on the
 * target.
 */
export async function rotateEntry(
  { invoke, options, format }: Running,
  request: Record<string, unknown>,
  columns: readonly Column[],
): Promise<ExitCode> {
  const timeoutMs = parseSeconds(String(options.timeout), '--timeout') * 1000;
  const { entryId } = request;
  const asked = (await invoke<Answer>('RotateEntry', request)).rotation;
  const read = async () => (await invoke<Answer>('GetRotation', { entryId, rotationId: asked.id })).rotation;
  const isUnderWay = ({ state }: Answer['rotation']) => state === 'pending' || state === 'applying';
  const ended = (rotation: Answer['rotation']) => !isUnderWay(rotation);
  const rotation = options.wait ? await pollUntil(read, ended, { timeoutMs, everyMs: 1_000 }) : asked;
  if (!(await printForPrograms(format, rotation))) say(tableText(columns, [rotation]));
  if (!options.wait) tell(`queued: \`claviger entries rotations ${entryId}\` follows it`);
  if (!options.wait || rotation.state === 'verified') return EXIT.ok;
  return isUnderWay(rotation) ? EXIT.pending : EXIT.error;
}
