import { randomBytes, randomInt } from 'node:crypto';
import type { Database } from '@claviger/database';
import type { Anomaly, Logger, ReportAnomaly } from '@claviger/service-kit';
import { readDemoted } from './cluster-state.ts';
import type { DutyHost, DutyState, HostedDuty } from './duty.ts';
import { DEFAULT_TIMING, nextTurn, type Timing, trustedUntil } from './election-rules.ts';
import {
  createElectionStore,
  type ElectionStore,
  KEEP_MS,
  type RedisAddress,
  type TurnAnswer,
} from './election-store.ts';
import { assertTerm, type Leadership, LeadershipLost, raiseTerm } from './leadership.ts';

const STOPS = 'it stops';

export type ReplicaRole = 'leader' | 'candidate' | 'follower' | 'demoted' | 'serving';

/** What a replica reports with each heartbeat. */
export interface ReplicaDetails {
  readonly version: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly role: ReplicaRole;
  /** For a leader, its term; for others, the last term they led, or 0. */
  readonly term: number;
  /** For a leader: the state of each of its duties. */
  readonly duties: readonly DutyState[];
}

export interface ClusterOptions<DB> {
  /** Also the name of the elected role. */
  readonly service: string;
  readonly node: string;
  readonly version: string;
  readonly redis: RedisAddress;
  readonly database: Database<DB>;
  readonly logger: Logger;
  readonly timing?: Timing;
  /** While it returns false, this replica is neither candidate nor leader; always true when absent. */
  readonly mayLead?: () => boolean;
  /** Receives a report when another process uses this node's name. */
  readonly reportAnomaly?: ReportAnomaly | undefined;
}

/** This replica as a member of its service. */
export interface Cluster extends DutyHost, AsyncDisposable {
  readonly service: string;
  readonly node: string;
  readonly timing: Timing;
  readonly store: ElectionStore<ReplicaDetails>;
  /** The state of this replica, also while Redis is unavailable. */
  details(): ReplicaDetails;
  /** Checks at once whether this replica was demoted or readmitted. */
  checkDemotion(): void;
}

const SETTLE_MS = 2_000;
const LOOK_MS = 10_000;
const MEASURE_MS = 5_000;

/**
 * Registers this replica and takes part in the election of its service from the first heartbeat; a single
 * replica leads at once. Without Redis there is no election and duties wait. Disposing it gives up the
 * leadership.
 */
export function createCluster<DB>(options: ClusterOptions<DB>): Cluster {
  const { service, node, database, logger } = options;
  const timing = options.timing ?? DEFAULT_TIMING;
  /**
   * Identifies the lease. Renewed after each loss, so that a late request cannot renew an abandoned lease.
   */
  let claim = newClaim();
  const store = createElectionStore<ReplicaDetails>(
    service,
    options.redis,
    Math.max(200, timing.leaseMs - timing.marginMs - timing.renewMs),
  );
  const process = newClaim();
  const duties = new Set<HostedDuty>();
  const startedAt = Date.now();
  const stop = new AbortController();
  let current: Held | undefined;
  let raising = false;
  let settling: Promise<void> | undefined;
  let lastTerm = 0;
  let trust = 0;
  let demoted = false;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let measuredAt = Number.NEGATIVE_INFINITY;
  let standNotBefore = 0;
  let isCandidate = false;
  let failures = 0;
  let moved = false;
  let wakeUp: (() => void) | undefined;

  const move = (): void => {
    moved = true;
    wakeUp?.();
  };
  store.onMove((what) => {
    if (what === 'eligibility') lookedAt = Number.NEGATIVE_INFINITY;
    move();
  });

  const details = (): ReplicaDetails => ({
    version: options.version,
    startedAt,
    role: current ? 'leader' : demoted ? 'demoted' : isCandidate ? 'candidate' : 'follower',
    term: current?.term ?? lastTerm,
    duties: current ? [...duties].map((duty) => duty.state()) : [],
  });

  /** Ends the term in this process. Running work sees its signal; PostgreSQL refuses work that ignores it. */
  const lose = (held: Held, why: string): string => {
    const former = claim;
    if (current !== held) return former;
    current = undefined;
    clearTimeout(held.timer);
    held.abort.abort(new LeadershipLost(`${node} no longer leads ${service}: ${why}.`));
    claim = newClaim();
    logger[why === STOPS ? 'info' : 'warn']({ term: held.term, why }, 'this replica is no longer the leader');
    return former;
  };

  const release = (former: string, leave = false): Promise<void> =>
    store.release(node, former, leave).catch(() => {});

  /** Ends the term, waits up to two seconds for running duties, and releases the lease. */
  const stepDown = (why: string): Promise<void> => {
    const former = current ? lose(current, why) : claim;
    settling ??= (async () => {
      const settled = Promise.allSettled([...duties].map((duty) => duty.settled()));
      await Promise.race([settled, pauseFor(SETTLE_MS)]);
      await release(former);
    })().finally(() => {
      settling = undefined;
    });
    return settling;
  };

  const lead = (term: number): void => {
    const abort = new AbortController();
    const held: Held = { term, abort, timer: undefined };
    const holds = (): boolean => current === held && performance.now() < trust;
    held.leadership = {
      role: service,
      term,
      signal: abort.signal,
      holds,
      assert: async (tx) => {
        if (!holds()) {
          if (current === held) void release(lose(held, 'its lease expired'));
          throw new LeadershipLost(`Term ${term} of ${service} has ended: the lease expired.`);
        }
        try {
          await assertTerm(tx, service, term);
        } catch (error) {
          if (error instanceof LeadershipLost && current === held) void stepDown('a newer term has begun');
          throw error;
        }
      },
    };
    lastTerm = term;
    current = held;
    watch(held);
    logger.info({ term }, 'this replica is the leader');
    for (const duty of duties) duty.wake();
    move();
  };

  /** Ends the term before a lease that was not renewed ends in Redis. */
  const watch = (held: Held): void => {
    clearTimeout(held.timer);
    held.timer = setTimeout(
      () => {
        if (performance.now() < trust) watch(held);
        else void release(lose(held, 'its lease expired'));
      },
      Math.max(1, trust - performance.now()),
    );
  };

  /** Redis has elected this replica; this begins its term in PostgreSQL. */
  const begin = async (): Promise<void> => {
    raising = true;
    const won = claim;
    try {
      // A duty runs once at a time, so wait for runs of the former term.
      await Promise.all([...duties].map((duty) => duty.settled()));
      const term = await raiseTerm(database, service, node);
      if (term === 'demoted') {
        demoted = true;
        await store.mark(node, true).catch(() => {});
        await stepDown('it was demoted');
      } else if (!stop.signal.aborted && claim === won && performance.now() < trust) lead(term);
    } catch (error) {
      logger.warn({ err: error }, 'cannot begin the next term; another replica may try');
      standNotBefore = performance.now() + timing.leaseMs;
      await release(won);
    } finally {
      raising = false;
    }
  };

  const look = async (): Promise<void> => {
    lookedAt = performance.now();
    const before = demoted;
    demoted = await readDemoted(database, service, node);
    if (before && !demoted) await store.mark(node, false).catch(() => {});
    if (demoted && current) await stepDown('it was demoted');
  };

  const turn = async (stand: boolean): Promise<TurnAnswer> => {
    const mayLead = options.mayLead?.() ?? true;
    if (current && !mayLead) await stepDown('its database is not served');
    const requestedAt = performance.now();
    const answer = await store.turn({
      node,
      claim,
      leaseMs: timing.leaseMs,
      keepMs: KEEP_MS,
      candidacyMs: Math.max(200, timing.leaseMs / 5),
      details: details(),
      stand: stand && mayLead && !current && !demoted && !settling && requestedAt >= standNotBefore,
      demoted,
      process,
    });
    if (answer.twice) options.reportAnomaly?.(nodeNameTwice(service, node));
    if (answer.lead?.claim !== claim) {
      if (current) lose(current, answer.lead ? `${answer.lead.node} does` : 'Redis has forgotten its lease');
      return answer;
    }
    trust = trustedUntil(requestedAt, timing);
    if (current) watch(current);
    else if (!raising && !settling && !stop.signal.aborted) void begin();
    if (current && answer.nominee !== undefined && answer.nominee !== node)
      void stepDown(`${answer.nominee} is to lead`).then(move);
    return answer;
  };

  const measure = async (): Promise<void> => {
    measuredAt = performance.now();
    await Promise.allSettled([...duties].map((duty) => duty.measure()));
  };

  const run = async (): Promise<void> => {
    let stand = true;
    while (!stop.signal.aborted) {
      moved = false;
      let pauseMs: number;
      try {
        if (performance.now() - lookedAt > LOOK_MS)
          await look().catch((error: unknown) =>
            logger.debug({ err: error }, 'cannot read the demoted nodes'),
          );
        const answer = await turn(stand);
        if (answer.demoted !== demoted) lookedAt = Number.NEGATIVE_INFINITY;
        const now = performance.now();
        const leads = answer.lead === undefined ? 'nobody' : answer.lead.claim === claim ? 'me' : 'another';
        const next = nextTurn(
          { now, leads, leaseLeftMs: answer.leaseLeftMs, nominee: answer.nominee },
          node,
          timing,
          randomInt(1_000) / 1_000,
        );
        isCandidate = stand && leads === 'nobody';
        stand = next.stand;
        pauseMs = next.at - now;
        if (current && now - measuredAt > MEASURE_MS) void measure();
        if (failures > 0) logger.info({ after: failures }, 'Redis answers the election again');
        failures = 0;
      } catch (error) {
        // An unanswered request may have taken effect: do not become a candidate, so that this replica cannot
        // win unknowingly.
        stand = false;
        if (!current && !raising) claim = newClaim();
        failures += 1;
        if (failures === 1 || failures % 60 === 0)
          logger.warn(
            { err: error, failures },
            'Redis does not answer; there is no election and duties wait',
          );
        pauseMs = Math.min(timing.renewMs, 100 * failures);
      }
      await pause(pauseMs);
    }
  };

  const pause = async (ms: number): Promise<void> => {
    if (moved || stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wakeUp = undefined;
  };

  const running = run();
  return {
    service,
    node,
    timing,
    store,
    logger,
    details,
    leadership: () => current?.leadership,
    checkDemotion: () => {
      lookedAt = Number.NEGATIVE_INFINITY;
      move();
    },
    add: (duty) => {
      duties.add(duty);
      if (current) duty.wake();
    },
    remove: (duty) => void duties.delete(duty),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      move();
      const former = current ? lose(current, STOPS) : claim;
      await running;
      await release(former, true);
      store.close();
    },
  };
}

const newClaim = (): string => randomBytes(12).toString('base64url');

/**
 * Two processes with one name vote as one, overwrite each other's status, and are indistinguishable in logs.
 */
export function nodeNameTwice(service: string, node: string): Anomaly {
  return {
    alert: 'node_name_twice',
    subject: { type: 'node', id: `${service}/${node}` },
    details: { service, node },
  };
}

interface Held {
  readonly term: number;
  readonly abort: AbortController;
  leadership?: Leadership;
  timer: NodeJS.Timeout | undefined;
}

function pauseFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
