import type * as audit from '@claviger/contracts/audit/v1/audit';
import type { Handler } from '@claviger/service-kit';
import { recordRead } from '../reads/record-read.ts';
import type { EventsDeps } from './deps.ts';
import { eventPage } from './event-page.ts';

/** Lists the tenant's events, by default the newest first. */
export function listEvents(deps: EventsDeps): Handler<typeof audit.AuditService.listEvents> {
  return async (request, context) => {
    const { tenantId, signal } = context;
    // The contract declares searches as costly.
    const answer = request.search
      ? await deps.costly.value({ kind: 'search', tenantId, request }, signal)
      : await eventPage(deps.database, tenantId, request);
    await recordRead(deps, context, request);
    return answer;
  };
}
