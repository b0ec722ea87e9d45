import * as emergencyNotice from '@claviger/contracts/workflow/v1/emergency_notice';
import type { Logger, Peers } from '@claviger/service-kit';

const TIMEOUT_MS = 2_000;

/** Whether emergency access is open in the tenant. */
export interface EmergencyNotice {
  /** open | closed | unknown */
  readonly status: string;
  readonly openSessions: number;
  /** End of the session that opened first. */
  readonly expiresAt?: string;
}

export type AskEmergencyNotice = (tenantId: string, requestId: string) => Promise<EmergencyNotice>;

/** Asks workflow. Returns `unknown` when workflow is unavailable, so that health can still be shown. */
export function createEmergencyNotice(peers: Peers, logger: Logger): AskEmergencyNotice {
  const client = peers.client('workflow', emergencyNotice.EmergencyNoticeService);
  return async (tenantId, requestId) => {
    try {
      const { openSessions, expiresAt } = await client.getEmergencyNotice(
        {},
        { tenantId, requestId, timeoutMs: TIMEOUT_MS },
      );
      return {
        status: openSessions > 0 ? 'open' : 'closed',
        openSessions,
        ...(expiresAt ? { expiresAt } : {}),
      };
    } catch (error) {
      logger.debug({ err: error, requestId }, 'the status of emergency access cannot be read');
      return { status: 'unknown', openSessions: 0 };
    }
  };
}
