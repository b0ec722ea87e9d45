import { ClavigerError } from '@claviger/errors';
import type { Emergency, EmergencyRestriction } from './src/peers.ts';

/**
 * Test double of the vault and of auth in an emergency: records the calls and can be made unavailable. The
 * network tests use the real services.
 */
export class EmergencyRecorder {
  away = false;
  /** False: Redis is unavailable, so that auth stores the restriction but cannot notify the gateways. */
  settled = true;
  readonly placed = new Map<string, { userId: string; expiresAt: string }>();
  readonly ended: { sessionId: string; cause: string }[] = [];
  /** Id of the user to id of the session that restricts the user. */
  readonly restrictions = new Map<string, string>();

  readonly client: Emergency = {
    placeEmergencySession: async ({ sessionId, userId, expiresAt }) => {
      this.#answer();
      if (this.ended.some((each) => each.sessionId === sessionId))
        throw new ClavigerError('conflict', 'Ended.', { code: 'breakglass_ended' });
      if (this.restrictions.get(userId) !== sessionId)
        throw new Error('placed before the restriction was stored');
      this.placed.set(sessionId, { userId, expiresAt: expiresAt! });
      return {};
    },
    endEmergencySession: async ({ sessionId, cause }) => {
      this.#answer();
      this.ended.push({ sessionId, cause });
      return { disclosed: 3, rotationsQueued: 2, rotationsImpossible: 1 };
    },
    listEmergencyDisclosures: async () => {
      this.#answer();
      return { items: [] };
    },
    runEmergencyDrill: async () => {
      this.#answer();
      return { node: 'vault-1', steps: [{ name: 'journal', ok: true, problem: '', tookMs: 1 }] };
    },
  };

  readonly restriction: EmergencyRestriction = {
    applyEmergencyRestriction: async ({ userId, sessionId, until }) => {
      if (until) this.restrictions.set(userId, sessionId);
      else if (this.restrictions.get(userId) === sessionId) this.restrictions.delete(userId);
      return { settled: this.settled };
    },
  };

  #answer(): void {
    if (this.away) throw new ClavigerError('unavailable', 'A part of the system cannot be reached.');
  }
}
