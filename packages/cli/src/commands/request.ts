import type { ConnectionOptions } from '@claviger/api-client/connection';
import { pollUntil } from '@claviger/api-client/poll';
import { type Session, withSession } from '@claviger/api-client/session';
import { peopleCommand, withConnectionOptions } from '@claviger/terminal/command-options';
import { parseMinutes, parseSeconds } from '@claviger/terminal/duration';
import { escapeText } from '@claviger/terminal/escape';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, tell } from '@claviger/terminal/output';
import type { Command } from 'commander';
import { fieldsText } from '../contract/cells.ts';
import { type AccessRequest, decisionsText, requestFields } from '../contract/request-view.ts';

interface Answer {
  readonly request: AccessRequest;
}

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'request <resource-or-entry>',
    'request access to a resource or an entry, by name or id',
    'claviger request db-prod --for 30m --reason "slow query in ticket 4711" --wait',
  )
    .requiredOption('--for <duration>', 'duration, e.g. 30m, 2h')
    .requiredOption('--reason <text>', 'reason; read by approvers and auditors')
    .option('--ticket <text>', 'ticket number or URL')
    .option('--wait', 'wait for the decision: exit code 0 approved, 3 denied, 4 still pending')
    .option('--timeout <duration>', 'maximum wait', '5m');
  withConnectionOptions(command).action(async (subject: string, options: RequestOptions) => {
    process.exitCode = await requestAccess(subject, options);
  });
}

export interface RequestOptions extends ConnectionOptions {
  readonly for: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly wait?: boolean;
  readonly timeout: string;
}

/** The command `request`. */
export function requestAccess(subject: string, options: RequestOptions): Promise<ExitCode> {
  const durationMinutes = parseMinutes(options.for, '--for');
  const timeoutMs = parseSeconds(options.timeout, '--timeout') * 1000;
  return withSession(options, async ({ api, invoke, format }) => {
    const created = await invoke<Answer>('CreateRequest', {
      ...(await (await import('../contract/names.ts')).accessSubject(api, subject)),
      reason: options.reason,
      durationMinutes,
      ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
    });
    let request = created.request;
    if (options.wait) {
      tell(
        `waiting for a decision on ${request.id}: approvers find it with \`claviger requests --decidable\``,
      );
      request = await untilDecided(invoke, request, timeoutMs);
    }
    const { printForPrograms } = await import('../contract/print-answer.ts');
    if (!(await printForPrograms(format, request))) say(fieldsText(requestFields(request), request));
    return options.wait ? outcomeOf(request) : EXIT.ok;
  });
}

async function untilDecided(
  invoke: Session['invoke'],
  request: AccessRequest,
  timeoutMs: number,
): Promise<AccessRequest> {
  return pollUntil(
    async () => (await invoke<Answer>('GetRequest', { requestId: request.id })).request,
    ({ status }) => status !== 'pending',
    { timeoutMs, everyMs: 2_000 },
  );
}

/** Prints the outcome of a request and returns its exit code. */
export function outcomeOf(request: AccessRequest): ExitCode {
  const { id, status, grantId } = request;
  if (status === 'approved') {
    tell(
      `approved${escapeText(decisionsText(request))}: receive the credential with \`claviger get ${grantId || id}\``,
    );
    return EXIT.ok;
  }
  if (status === 'pending') {
    tell(`still pending: check it with \`claviger requests\`, or cancel it with \`claviger cancel ${id}\``);
    return EXIT.pending;
  }
  tell(
    `${status}${escapeText(decisionsText(request))}: request again with another reason or a shorter time if you still need access`,
  );
  return EXIT.denied;
}
