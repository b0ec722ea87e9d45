import * as siem from '@claviger/contracts/audit/v1/siem';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { withSession } from './session.ts';
import { type Column, showJson, tableText, timeText } from './show.ts';

export interface SiemTestOptions extends ConnectionOptions {
  readonly target?: string;
}

const service = siem.SiemService;
const NO_TARGETS = 'there are no targets: set siem.targets (docs/siem.md)';

const statusColumns: readonly Column<siem.SiemTargetStatus>[] = [
  ['NAME', (row) => row.name],
  ['TRANSPORT', (row) => row.transport],
  ['ADDRESS', (row) => row.address],
  ['MAX BYTES', (row) => row.maxMessageBytes],
  ['STATE', (row) => row.state],
  ['NEXT', (row) => row.nextSequence],
  ['WAITING', (row) => row.lagEvents],
  ['OLDEST', (row) => (row.lagEvents === 0 ? '' : `${row.oldestUnsentAgeSeconds} s`)],
  ['LAST SUCCESS', (row) => timeText(row.lastSuccessAt)],
  ['PROBLEM', (row) => row.lastError],
];

const resultColumns: readonly Column<siem.SiemTestResult>[] = [
  ['NAME', (row) => row.name],
  ['RESULT', (row) => (row.ok ? 'ok' : 'failing')],
  ['TOOK', (row) => `${row.latencyMs} ms`],
  ['PROBLEM', (row) => row.problem],
  ['NEXT', (row) => row.hint],
];

/** The command `siem status`. */
export function siemStatus(options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const status = await api.call(service.getSiemStatus, {});
    if (format === 'json') return showJson(status);
    if (status.items.length === 0) return tell(NO_TARGETS);
    say(tableText(statusColumns, status.items));
  });
}

/** The command `siem test`. Exit code 0 only when every target took the event. */
export function testSiem(options: SiemTestOptions): Promise<ExitCode> {
  return withSession(options, async ({ api, format }) => {
    const answer = await api.call(service.testSiem, { target: options.target ?? '' });
    if (format === 'json') showJson(answer);
    else if (answer.results.length === 0) tell(NO_TARGETS);
    else {
      say(tableText(resultColumns, answer.results));
      tell(`look for event ${answer.eventId} there`);
    }
    return answer.ok ? EXIT.ok : EXIT.error;
  });
}
