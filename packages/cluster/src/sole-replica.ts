import type { Logger } from '@claviger/service-kit';
import type { DutyHost } from './duty.ts';
import type { Leadership } from './leadership.ts';

/** A leadership without election; `assert` always succeeds. */
export const soleLeadership: Leadership = {
  role: 'sole',
  term: 1,
  signal: new AbortController().signal,
  holds: () => true,
  assert: async () => {},
};

/**
 * A cluster of one replica that leads without election: for tests of a single duty. Services never use it.
 */
export function soleReplica(logger: Logger): DutyHost {
  return { logger, leadership: () => soleLeadership, add: () => {}, remove: () => {} };
}
