import { type DutyHost, type DutyLag, type Leadership, LeadershipLost, startDuty } from '@claviger/cluster';
import type { ReportAnomaly } from '@claviger/service-kit';
import type { RestoreDetection } from '@claviger/store-service';
import { sql } from 'kysely';
import { reportLostHead } from './report-lost-head.ts';
import type { SequencingDeps } from './sequence-tenant.ts';
import { sequenceTenant } from './sequence-tenant.ts';
import { type HeadProblem, SequencingProblem } from './sequencing-problem.ts';

export interface LogSequencer extends AsyncDisposable {
  /** Tenants whose log must not be continued, with the reason. */
  problems(): ReadonlyMap<string, string>;
  /** Forgets all problems after a restore: every log continues from the state of the database. */
  forgetProblems(): void;
  /**
   * Stops continuing the logs of these tenants until a restore is finished or the service restarts. If one of
   * them is behind, the whole database counts as restored to an older state.
   */
  hold(problems: ReadonlyMap<string, HeadProblem>): void;
}

/**
 * Sequences new events of all tenants on the leader; the lock on a tenant's tree also excludes a former
 * leader. Skips tenants in `problems` and adds a tenant whose tree does not match its last head.
 */
export function startLogSequencer(
  deps: SequencingDeps & {
    readonly intervalMs: number;
    readonly cluster: DutyHost;
    readonly reportAnomaly: ReportAnomaly;
    readonly restore: RestoreDetection;
    /** Called after events of a tenant were sequenced. */
    readonly onSequenced: () => void;
  },
  known: ReadonlyMap<string, HeadProblem>,
): LogSequencer {
  const problems = new Map<string, string>();
  const stop = new AbortController();

  const hold: LogSequencer['hold'] = (found) => {
    for (const [tenantId, { message: problem }] of found) {
      if (!problems.has(tenantId))
        deps.logger.error(
          { tenantId, problem },
          'the audit log of a tenant does not match its signed tree heads; it is not continued until an operator resolves this',
        );
      problems.set(tenantId, problem);
      reportLostHead(deps.reportAnomaly, tenantId, problem);
    }
    const behind = [...found.values()].filter((each) => each.behind).length;
    if (behind > 0)
      deps.restore.reportEvidence(
        `the audit logs of ${behind} tenants end before a tree head kept outside the database: the database was restored to an older state, or truncated`,
      );
  };
  hold(known);

  const sequenceAll = async (tenantId: string, leadership: Leadership): Promise<void> => {
    const epoch = deps.restore.epoch();
    try {
      for (;;) {
        const sequenced = await sequenceTenant(deps, tenantId, leadership);
        if (sequenced > 0) deps.onSequenced();
        if (sequenced < deps.batchSize || stop.signal.aborted) return;
      }
    } catch (error) {
      if (!(error instanceof SequencingProblem)) throw error;
      if (deps.restore.epoch() === epoch) hold(new Map([[tenantId, error]]));
    }
  };

  const run = async (leadership: Leadership): Promise<void> => {
    const tenants = await deps.database.systemQuery((reader) =>
      reader
        .selectFrom('events')
        .select('tenant_id')
        .distinct()
        .where('sequence', 'is', null)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('quarantined_events')
                .select('quarantined_events.event_id')
                .whereRef('quarantined_events.tenant_id', '=', 'events.tenant_id')
                .whereRef('quarantined_events.event_id', '=', 'events.event_id'),
            ),
          ),
        )
        .compile(),
    );
    const errors: unknown[] = [];
    for (const { tenant_id } of tenants) {
      if (stop.signal.aborted || leadership.signal.aborted) break;
      if (problems.has(tenant_id)) continue;
      // A failure of one tenant must not delay the others.
      await sequenceAll(tenant_id, leadership).catch((error: unknown) => {
        if (error instanceof LeadershipLost) throw error;
        errors.push(error);
      });
    }
    if (errors.length > 0) throw errors[0];
  };

  const duty = startDuty({
    cluster: deps.cluster,
    name: 'sealing',
    everyMs: deps.intervalMs,
    run,
    lag: () => unsequenced(deps),
  });

  return {
    problems: () => problems,
    forgetProblems: () => problems.clear(),
    hold,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await duty[Symbol.asyncDispose]();
    },
  };
}

/** Counts the unsequenced events, at most ten thousand. */
async function unsequenced({ database }: SequencingDeps): Promise<DutyLag> {
  const rows = await database.systemQuery((reader) =>
    sql<{ waiting: number; oldest_ms: number | null }>`
      SELECT count(*)::int AS waiting, (extract(epoch FROM clock_timestamp() - min(received_at)) * 1000)::bigint AS oldest_ms
      FROM (SELECT received_at FROM events WHERE sequence IS NULL
        AND NOT EXISTS (SELECT FROM quarantined_events AS bad
          WHERE bad.tenant_id = events.tenant_id AND bad.event_id = events.event_id) LIMIT 10000) AS waiting`.compile(
      reader,
    ),
  );
  return { waiting: rows[0]?.waiting ?? 0, oldestMs: Math.max(0, rows[0]?.oldest_ms ?? 0) };
}
