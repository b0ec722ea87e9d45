import * as audit from '@claviger/contracts/audit/v1/audit';
import { say } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { resourceId, userId } from './find-by-name.ts';
import { listItems } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface EventListOptions extends ConnectionOptions, ListOptions {
  readonly from?: string;
  readonly to?: string;
  readonly user?: string;
  readonly action?: string;
  readonly outcome?: string;
  readonly resource?: string;
  readonly subject?: string;
  readonly search?: string;
}

const service = audit.AuditService;

const columns: readonly Column<audit.AuditEvent>[] = [
  ['SEQ', (row) => row.sequence],
  ['TIME', (row) => timeText(row.occurredAt)],
  ['ACTION', (row) => row.action],
  ['OUTCOME', (row) => row.outcome],
  ['WHO', actorText],
  ['ABOUT', subjectText],
  ['REASON', (row) => row.reason],
];

function actorText({ actorName, actorId, actorKind }: audit.AuditEvent): string {
  return actorName || actorId || actorKind;
}

function subjectText({ subjectType, subjectId }: audit.AuditEvent): string {
  return `${subjectType} ${subjectId}`.trim();
}

export function listEvents(options: EventListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const {
      from = '',
      to = '',
      action = '',
      outcome = '',
      subject = '',
      search = '',
      user,
      resource,
    } = options;
    const filter = {
      from,
      to,
      action,
      outcome,
      search,
      subjectId: subject,
      ...(user === undefined ? {} : { userId: await userId(api, user) }),
      ...(resource === undefined ? {} : { resourceId: await resourceId(api, resource) }),
    };
    showList(await listItems(api, service.listEvents, filter, options), columns, format);
  });
}

export function showEvent(eventId: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const event = (await api.call(service.getEvent, { eventId })).event!;
    if (format === 'json') return showJson(event);
    say(
      fieldsText([
        ['event', event.id],
        ['sequence', event.sequence ?? 'not sealed yet'],
        ['time', event.occurredAt],
        ['action', event.action],
        ['outcome', event.outcome],
        ['who', actorText(event)],
        ['kind', event.actorKind],
        ['about', subjectText(event)],
        ['resource', event.resourceId],
        ['reason', event.reason],
        ['details', event.details === undefined ? '' : JSON.stringify(event.details)],
        ['from', event.sourceAddress],
        ['service', event.service],
        ['request', event.requestId],
        ['leaf hash', event.leafHash],
      ]),
    );
  });
}
