import { ClavigerError } from '@claviger/errors';
import type { Emergency, Standing } from './src/peers.ts';

/** Stands where the vault and auth stand in an emergency: keeps what it is told, and can be away. The network tests have the real ones. */
export class EmergencyRecorder {
  away = false;
  /** Redis is away: auth stores, and cannot tell gateways. */
  settled = true;
  readonly placed = new Map<string, { userId: string; expiresAt: string }>();
  readonly ended: { sessionId: string; cause: string }[] = [];
  /** User by user, the session that keeps them from administration. */
  readonly standings = new Map<string, string>();

  readonly client: Emergency = {
    placeEmergencySession: async ({ sessionId, userId, expiresAt }) => {
      this.#answer();
      if (this.ended.some((each) => each.sessionId === sessionId))
        throw new ClavigerError('conflict', 'Ended.', { code: 'breakglass_ended' });
      if (this.standings.get(userId) !== sessionId) throw new Error('placed before the standing was stored');
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

  readonly standing: Standing = {
    applyEmergencyStanding: async ({ userId, sessionId, until }) => {
      if (until) this.standings.set(userId, sessionId);
      else if (this.standings.get(userId) === sessionId) this.standings.delete(userId);
      return { settled: this.settled };
    },
  };

  #answer(): void {
    if (this.away) throw new ClavigerError('unavailable', 'A part of the system cannot be reached.');
  }
}
