import type * as audit from '@claviger/contracts/audit/v1/audit';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { recordRead } from '../reads/record-read.ts';
import type { EventsDeps } from './deps.ts';
import { eventMessage, STORED_EVENT } from './event-message.ts';

/** One event, with its canonical text. */
export function getEvent(deps: EventsDeps): Handler<typeof audit.AuditService.getEvent> {
  return async (request, context) => {
    const id = request.eventId;
    context.auditSubject = { type: 'event', id };
    const row = await deps.database.readTenant(context.tenantId, (reader) =>
      reader.selectFrom('events').select(STORED_EVENT).where('event_id', '=', id).executeTakeFirst(),
    );
    if (row === undefined) throw ClavigerError.notFound();
    await recordRead(deps, context, request, { type: 'event', id });
    return { event: { ...eventMessage(row), canonical: row.canonical } };
  };
}
