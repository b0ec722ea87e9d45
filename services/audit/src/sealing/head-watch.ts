import { type Duty, type DutyHost, startDuty } from '@claviger/cluster';
import type { Bus } from '@claviger/events';
import type { SignedTreeHead } from '@claviger/merkle';
import type { Logger } from '@claviger/service-kit';
import type { SeenRestore } from '@claviger/store-service';
import { type CompareHeadsDeps, compareHeads } from './compare-heads.ts';
import { headsOnBus } from './heads-on-bus.ts';
import type { Sealer } from './sealer.ts';
import type { HeadProblem } from './sealing-problem.ts';

export interface HeadWatchDeps extends Omit<CompareHeadsDeps, 'onBus'> {
  readonly bus: Pick<Bus, 'newest'>;
  readonly logger: Logger;
}

/** Compares once, before anything is signed: the problems by tenant. A bus that is away is left out. */
export async function compareWithOutside(deps: HeadWatchDeps): Promise<Map<string, HeadProblem>> {
  const onBus = await headsOnBus(deps.bus).catch((error: unknown): Map<string, SignedTreeHead> => {
    deps.logger.warn(
      { err: error },
      'tree heads on the bus cannot be read: compared with those of the file alone',
    );
    return new Map();
  });
  return compareHeads({ ...deps, onBus });
}

/** Compares again and again, on the leader, so that also the log of a tenant in which nothing happens is watched. */
export function startHeadWatch(
  deps: HeadWatchDeps & {
    readonly cluster: DutyHost;
    readonly sealer: Sealer;
    readonly restore: Pick<SeenRestore, 'epoch'>;
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
      // Of a restore that was finished meanwhile nothing is left to see.
      if (deps.restore.epoch() === epoch) deps.sealer.hold(problems);
    },
  });
}
