import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { presentMs } from '../database-clock.ts';
import { internalCall } from '../internal-call.ts';
import type { BreakglassDeps } from './deps.ts';
import { sessionMessage } from './session-view.ts';

/**
 * One session with its disclosures, which the vault returns. Throws `unavailable` while the vault is
 * unavailable.
 */
export function getBreakglassSession(
  deps: BreakglassDeps,
): Handler<typeof breakglass.BreakglassService.getBreakglassSession> {
  return async (request, context) => {
    const id = request.sessionId;
    const session = await deps.database.readTenant(context.tenantId, async (reader) => {
      const row = await reader
        .selectFrom('breakglass_sessions')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      if (!row) throw ClavigerError.notFound();
      return sessionMessage(row, await presentMs(reader));
    });
    if (!session.activatedAt) return { session };
    const { items } = await deps.emergency.listEmergencyDisclosures({ sessionId: id }, internalCall(context));
    return { session: { ...session, disclosures: items } };
  };
}
