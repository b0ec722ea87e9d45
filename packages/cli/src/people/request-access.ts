import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { ApiClient } from '../api/api-client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { parseMinutes, parseSeconds } from './duration.ts';
import { accessSubject } from './find-by-name.ts';
import { pollUntil } from './poll.ts';
import { decisionsText, showRequest } from './request-view.ts';
import { withSession } from './session.ts';

export interface RequestOptions extends ConnectionOptions {
  readonly for: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly wait?: boolean;
  readonly timeout: string;
}

const service = workflow.RequestsService;

/** The command `request`. */
export function requestAccess(subject: string, options: RequestOptions): Promise<ExitCode> {
  const durationMinutes = parseMinutes(options.for, '--for');
  const timeoutMs = parseSeconds(options.timeout, '--timeout') * 1000;
  return withSession(options, async ({ api, format }) => {
    const created = await api.call(service.createRequest, {
      ...(await accessSubject(api, subject)),
      reason: options.reason,
      durationMinutes,
      ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
    });
    let request = created.request!;
    if (options.wait) {
      tell(`waiting for a decision on ${request.id}: others see it with \`claviger requests --decidable\``);
      request = await untilDecided(api, request, timeoutMs);
    }
    showRequest(request, format);
    return options.wait ? outcomeOf(request) : EXIT.ok;
  });
}

async function untilDecided(
  api: ApiClient,
  request: workflow.AccessRequest,
  timeoutMs: number,
): Promise<workflow.AccessRequest> {
  return pollUntil(
    async () => (await api.call(service.getRequest, { requestId: request.id })).request!,
    ({ status }) => status !== 'pending',
    { timeoutMs, everyMs: 2_000 },
  );
}

/** What happened in words and as an exit code. */
export function outcomeOf(request: workflow.AccessRequest): ExitCode {
  const { id, status, grantId } = request;
  if (status === 'approved') {
    tell(`approved${decisionsText(request)}: receive the credential with \`claviger get ${grantId || id}\``);
    return EXIT.ok;
  }
  if (status === 'pending') {
    tell(
      `still pending: look again with \`claviger requests\`, or take it back with \`claviger cancel ${id}\``,
    );
    return EXIT.pending;
  }
  tell(
    `${status}${decisionsText(request)}: ask again with another reason or a shorter time if it is still needed`,
  );
  return EXIT.denied;
}
