import type * as emergencyNotice from '@claviger/contracts/workflow/v1/emergency_notice';
import type { Handler } from '@claviger/service-kit';
import type { BreakglassDeps } from './deps.ts';
import { openSessions } from './get-breakglass-status.ts';

/**
 * Whether emergency access is open in the tenant, and until when. Every user sees it, so it contains no
 * names.
 */
export function getEmergencyNotice(
  deps: Pick<BreakglassDeps, 'database'>,
): Handler<typeof emergencyNotice.EmergencyNoticeService.getEmergencyNotice> {
  return async (_request, { tenantId }) => {
    const rows = await deps.database.readTenant(tenantId, openSessions);
    const ends = rows.filter((row) => row.state === 'active').map((row) => row.expires_at!.getTime());
    return {
      openSessions: ends.length,
      expiresAt: ends.length === 0 ? undefined : new Date(Math.max(...ends)).toISOString(),
    };
  };
}
