import * as emergencyNotice from '@claviger/contracts/workflow/v1/emergency_notice';
import type { Logger, Peers } from '@claviger/service-kit';

const TIMEOUT_MS = 2_000;

/** Whether emergency access is open in a tenant. */
export interface EmergencyNotice {
  /** open | closed | unknown */
  readonly status: string;
  readonly openSessions: number;
  /** Of the one that is open longest. */
  readonly expiresAt?: string;
}

export type AskEmergencyNotice = (tenantId: string, requestId: string) => Promise<EmergencyNotice>;

/** Asks workflow. When it cannot be asked the answer is `unknown`: the detail is there to tell of parts that are away. */
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
      logger.debug({ err: error, requestId }, 'emergency access cannot be asked about');
      return { status: 'unknown', openSessions: 0 };
    }
  };
}
