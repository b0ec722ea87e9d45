import * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { entryId, resourceId } from './find-by-name.ts';
import { type CodeOptions, withStepUp } from './mfa.ts';
import { listItems } from './paging.ts';
import { readCode } from './read-code.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, tableText, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface ActivateOptions extends CodeOptions {
  readonly reason: string;
  readonly allEntries?: boolean;
  readonly entry?: readonly string[];
  readonly resource?: readonly string[];
  readonly minutes?: number;
  readonly sealedCode?: boolean;
  readonly sealedCodeStdin?: boolean;
}
export interface ConfirmOptions extends CodeOptions {
  readonly comment?: string;
}
export interface DeactivateOptions extends ConnectionOptions {
  readonly session?: string;
  readonly reason?: string;
}
export interface CodesOptions extends CodeOptions {
  readonly count?: number;
  readonly reason: string;
}
export interface DrillOptions extends ConnectionOptions {
  readonly comment?: string;
}
export interface SessionListOptions extends ConnectionOptions, ListOptions {
  readonly state?: string;
}
export interface ReviewOptions extends ConnectionOptions {
  readonly text: string;
}

const service = breakglass.BreakglassService;
type Session = breakglass.BreakglassSession;

const columns: readonly Column<Session>[] = [
  ['ID', (row) => row.id],
  ['STATE', (row) => row.state],
  ['WHO', (row) => row.userName],
  ['OPENED BY', (row) => row.confirmedByName || row.openedBy],
  ['REQUESTED', (row) => timeText(row.requestedAt)],
  ['UNTIL', (row) => timeText(row.endedAt ?? row.expiresAt)],
  ['SEEN', (row) => row.disclosed],
  ['REVIEW', (row) => row.reviewedByName],
  ['REASON', (row) => row.reason],
];

const stepColumns: readonly Column<breakglass.BreakglassDrillStep>[] = [
  ['STEP', (row) => row.name],
  ['NODE', (row) => row.node],
  ['RESULT', (row) => (row.ok ? 'ok' : 'failing')],
  ['TOOK', (row) => `${row.tookMs} ms`],
  ['PROBLEM', (row) => row.problem],
];

/** The command `breakglass status`. */
export function breakglassStatus(options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const status = await api.call(service.getBreakglassStatus, {});
    if (format === 'json') return showJson(status);
    const drill = timeText(status.lastDrillAt);
    say(
      fieldsText([
        ['emergency access', status.active ? 'OPEN' : 'closed'],
        ['opened by', status.mode],
        ['at most', `${status.maximumMinutes} minutes`],
        ['sealed codes', String(status.unusedCodes)],
        ['without review', String(status.unreviewed)],
        ['last drill', drill && `${drill}, ${status.lastDrillPassed ? 'passed' : 'failed'}`],
      ]),
    );
    if (status.openSessions.length > 0) say(tableText(columns, status.openSessions));
  });
}

/** The command `breakglass activate`. A sealed code is read from the terminal or standard input, never from the arguments. */
export function activate(options: ActivateOptions): Promise<void> {
  return withSession(options, async ({ api, connection, format }) => {
    const request = {
      reason: options.reason,
      allEntries: options.allEntries ?? false,
      entryIds: await Promise.all((options.entry ?? []).map((name) => entryId(api, name))),
      resourceIds: await Promise.all((options.resource ?? []).map((name) => resourceId(api, name))),
      durationMinutes: options.minutes,
      sealedCode: await sealedCodeOf(options),
    };
    const { session } = await withStepUp(api, connection, options, () =>
      api.call(service.activateBreakglass, request),
    );
    show(session!, format);
    if (session!.state === 'awaiting-confirmation')
      tell(`somebody else confirms it within 15 minutes: claviger breakglass confirm ${session!.id}`);
  });
}

/** The command `breakglass confirm`. */
export function confirm(sessionId: string, options: ConfirmOptions): Promise<void> {
  return withSession(options, async ({ api, connection, format }) => {
    const request = { sessionId, comment: options.comment ?? '' };
    const { session } = await withStepUp(api, connection, options, () =>
      api.call(service.confirmBreakglass, request),
    );
    show(session!, format);
  });
}

/** The command `breakglass deactivate`. */
export function deactivate(options: DeactivateOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { session: sessionId = '', reason = '' } = options;
    const { session } = await api.call(service.deactivateBreakglass, { sessionId, reason });
    show(session!, format);
  });
}

/** The command `breakglass codes`: new sealed codes, shown this once. */
export function makeCodes(options: CodesOptions): Promise<void> {
  return withSession(options, async ({ api, connection, format }) => {
    const request = { count: options.count, reason: options.reason };
    const { codes } = await withStepUp(api, connection, options, () =>
      api.call(service.createBreakglassCodes, request),
    );
    if (format === 'json') return showJson({ codes });
    tell('sealed codes, shown once; each opens emergency access one time. Former unused ones stop working:');
    for (const code of codes) say(code);
  });
}

/** The command `breakglass drill`. Exit code 0 only when every step works. */
export function drill(options: DrillOptions): Promise<ExitCode> {
  return withSession(options, async ({ api, format }) => {
    const { drill: run } = await api.call(service.runBreakglassDrill, { comment: options.comment ?? '' });
    if (format === 'json') showJson(run);
    else {
      say(tableText(stepColumns, run!.steps));
      tell(run!.passed ? 'the drill passed' : 'the drill FAILED');
    }
    return run!.passed ? EXIT.ok : EXIT.error;
  });
}

/** The command `breakglass sessions`. */
export function listSessions(options: SessionListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { state = '' } = options;
    showList(await listItems(api, service.listBreakglassSessions, { state }, options), columns, format);
  });
}

/** The command `breakglass review`. */
export function review(sessionId: string, options: ReviewOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const request = { sessionId, review: options.text };
    const { session } = await api.call(service.reviewBreakglassSession, request);
    show(session!, format);
  });
}

async function sealedCodeOf({ sealedCode, sealedCodeStdin }: ActivateOptions): Promise<string> {
  if (!sealedCode && !sealedCodeStdin) return '';
  return readCode({
    fromStdin: sealedCodeStdin,
    question: 'Sealed code: ',
    otherWay: 'give the code with --sealed-code-stdin',
  });
}

function show(session: Session, format: OutputFormat): void {
  if (format === 'json') return showJson(session);
  const named = session.entryIds.length + session.resourceIds.length;
  say(
    fieldsText([
      ['session', session.id],
      ['state', session.state],
      ['who', session.userName],
      ['reason', session.reason],
      ['covers', session.allEntries ? 'every entry' : `${named} entries and resources named`],
      ['opened by', session.openedBy],
      ['confirmed by', session.confirmedByName],
      ['until', timeText(session.endedAt ?? session.expiresAt)],
      ['seen', session.endedAt ? String(session.disclosed) : ''],
      ['rotations', session.endedAt ? String(session.rotationsQueued) : ''],
      ['to change by hand', session.endedAt ? String(session.rotationsImpossible) : ''],
      ['review', session.review],
    ]),
  );
}
