import type { Database } from '@claviger/database';
import type { HealthCheck } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuditSchema } from './schema.ts';
import type { HeadsFile } from './sequencing/heads-file.ts';
import type { LogSequencer } from './sequencing/log-sequencer.ts';

/** All checks are optional: a failure degrades the service, and the log stays readable. */
export function healthChecks(deps: {
  database: Database<AuditSchema>;
  headsFile: HeadsFile;
  sequencer: LogSequencer;
  warnAfterMs: number;
}): HealthCheck[] {
  return [
    {
      name: 'sealing',
      required: false,
      check: async () => {
        const { rows } = await deps.database.system((tx) =>
          sql<{ age_ms: number | null }>`
            SELECT (extract(epoch FROM clock_timestamp() - min(received_at)) * 1000)::bigint AS age_ms
            FROM events WHERE sequence IS NULL
              AND NOT EXISTS (SELECT FROM quarantined_events AS bad
                WHERE bad.tenant_id = events.tenant_id AND bad.event_id = events.event_id)`.execute(tx),
        );
        const ageMs = rows[0]?.age_ms ?? 0;
        if (ageMs > deps.warnAfterMs)
          throw new Error(
            `the oldest unsequenced event is ${Math.round(ageMs / 1000)} s old: see the service log of audit`,
          );
      },
    },
    {
      name: 'tree heads',
      required: false,
      check: async () => {
        const broken = deps.sequencer.problems().size;
        if (broken > 0)
          throw new Error(
            `the log of ${broken} ${broken === 1 ? 'tenant' : 'tenants'} was altered outside the service: see the service log of audit`,
          );
        const problem = deps.headsFile.problem();
        if (problem) throw new Error(problem);
      },
    },
  ];
}
