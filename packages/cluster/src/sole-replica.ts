import type { Logger } from '@claviger/service-kit';
import type { DutyHost } from './duty.ts';

/**
 * A cluster of one that leads without election, and whose `assert` lets everything through: for tests of a single duty.
 * A service never uses it.
 */
export function soleReplica(logger: Logger): DutyHost {
  const leadership = {
    role: 'sole',
    term: 1,
    signal: new AbortController().signal,
    holds: () => true,
    assert: async () => {},
  };
  return { logger, leadership: () => leadership, add: () => {}, remove: () => {} };
}
