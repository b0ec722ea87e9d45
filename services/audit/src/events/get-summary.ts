import type * as audit from '@claviger/contracts/audit/v1/audit';
import type { Handler } from '@claviger/service-kit';
import { recordRead } from '../reads/record-read.ts';
import type { EventsDeps } from './deps.ts';

export function getSummary(deps: EventsDeps): Handler<typeof audit.AuditService.getSummary> {
  return async (request, context) => {
    const answer = await deps.costly.value(
      { kind: 'summary', tenantId: context.tenantId, request },
      context.signal,
    );
    await recordRead(deps, context, request);
    return answer;
  };
}
