import type { Logger } from '@claviger/service-kit';
import type { DutyHost } from './duty.ts';
import type { Leadership } from './leadership.ts';

/** Of nobody else: `assert` lets everything through. */
export const soleLeadership: Leadership = {
  role: 'sole',
  term: 1,
  signal: new AbortController().signal,
  holds: () => true,
  assert: async () => {},
};

/**
 * A cluster of one that leads without election, and whose `assert` lets everything through: for tests of a single duty.
 * A service never uses it.
 */
export function soleReplica(logger: Logger): DutyHost {
  return { logger, leadership: () => soleLeadership, add: () => {}, remove: () => {} };
}
