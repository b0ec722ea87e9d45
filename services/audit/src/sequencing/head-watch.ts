import { type Duty, type DutyHost, startDuty } from '@claviger/cluster';
import type { Bus } from '@claviger/events';
import type { SignedTreeHead } from '@claviger/merkle';
import type { Logger } from '@claviger/service-kit';
import type { RestoreDetection } from '@claviger/store-service';
import { type CompareHeadsDeps, compareHeads } from './compare-heads.ts';
import { headsOnBus } from './heads-on-bus.ts';
import type { LogSequencer } from './log-sequencer.ts';
import type { HeadProblem } from './sequencing-problem.ts';

export interface HeadWatchDeps extends Omit<CompareHeadsDeps, 'onBus'> {
  readonly bus: Pick<Bus, 'newest'>;
  readonly logger: Logger;
}

/**
 * Compares the heads outside with the database once, before the first head is signed. Returns the problems by
 * tenant. Without NATS, compares only the heads file.
 */
export async function compareWithOutside(deps: HeadWatchDeps): Promise<Map<string, HeadProblem>> {
  const onBus = await headsOnBus(deps.bus).catch((error: unknown): Map<string, SignedTreeHead> => {
    deps.logger.warn({ err: error }, 'tree heads on the bus cannot be read; only the heads file is compared');
    return new Map();
  });
  return compareHeads({ ...deps, onBus });
}

/** Compares the heads regularly on the leader, so that the logs of inactive tenants are checked too. */
export function startHeadWatch(
  deps: HeadWatchDeps & {
    readonly cluster: DutyHost;
    readonly sequencer: LogSequencer;
    readonly restore: Pick<RestoreDetection, 'epoch'>;
    readonly everyMs: number;
  },
): Duty {
  return startDuty({
    cluster: deps.cluster,
    name: 'tree heads outside',
    everyMs: deps.everyMs,
    run: async () => {
      const epoch = deps.restore.epoch();
      await deps.headsFile.refresh();
      const problems = await compareWithOutside(deps);
      // A restore that finished meanwhile makes these problems obsolete.
      if (deps.restore.epoch() === epoch) deps.sequencer.hold(problems);
    },
  });
}
