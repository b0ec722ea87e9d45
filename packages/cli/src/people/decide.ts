import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { minutesText, parseMinutes } from './duration.ts';
import { escapeText } from './escape.ts';
import { showRequest, subjectText } from './request-view.ts';
import { type Session, withSession } from './session.ts';

export interface DenyOptions extends ConnectionOptions {
  readonly comment?: string;
}
export interface ApproveOptions extends DenyOptions {
  readonly for?: string;
}

const service = workflow.RequestsService;

/** The command `approve`: bound by its digest to what was shown here. */
export function approve(requestId: string, options: ApproveOptions): Promise<void> {
  const durationMinutes = options.for === undefined ? undefined : parseMinutes(options.for, '--for');
  return withSession(options, async (session) => {
    const seen = await readAndTell(session, requestId);
    const { request } = await session.api.call(service.approveRequest, {
      requestId,
      digest: seen.digest,
      comment: options.comment ?? '',
      ...(durationMinutes === undefined ? {} : { durationMinutes }),
    });
    showRequest(request!, session.format);
  });
}

/** The command `deny`. */
export function deny(requestId: string, options: DenyOptions): Promise<void> {
  return withSession(options, async (session) => {
    const seen = await readAndTell(session, requestId);
    const { request } = await session.api.call(service.denyRequest, {
      requestId,
      digest: seen.digest,
      comment: options.comment ?? '',
    });
    showRequest(request!, session.format);
  });
}

/** The command `cancel`: takes one's own request back. */
export function cancel(requestId: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { request } = await api.call(service.cancelRequest, { requestId });
    showRequest(request!, format);
  });
}

async function readAndTell({ api }: Session, requestId: string): Promise<workflow.AccessRequest> {
  const { request } = await api.call(service.getRequest, { requestId });
  const { requesterName, requesterId, durationMinutes, reason } = request!;
  tell(
    escapeText(
      `${requesterName || requesterId} asks for ${subjectText(request!)} for ${minutesText(durationMinutes)}: ${reason}`,
    ),
  );
  return request!;
}
