import { type Duty, type DutyHost, type Leadership, LeadershipLost, startDuty } from '@claviger/cluster';
import type { Database, Tx } from '@claviger/database';
import { anomalyAction, type CountedAnomaly, type Logger } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { Emitter } from './emitter.ts';
import type { AnomaliesSchema, OutboxSchema } from './schema.ts';

const POLL_MS = 2_000;
const BATCH = 100;
/** Per alert. An attacker may choose subjects; excess ones are counted under one subject. */
const MAX_ROWS = 200;
const OTHERS = 'others';
/** Observations within this time become one event. */
const WINDOW = sql`interval '10 minutes'`;
/**
 * A row whose event cannot be written, e.g. because its tenant was deleted, is tried again after this time.
 */
const RETRY = sql`interval '1 minute'`;

/** Adds observations to the stored counts. */
export async function storeAnomalies<DB>(
  database: Database<DB>,
  anomalies: readonly CountedAnomaly[],
): Promise<void> {
  await (database as unknown as Database<AnomaliesSchema>).system(async (tx) => {
    for (const { alert, tenantId, subject, details, count } of anomalies) {
      const known = await tx
        .selectFrom('anomalies')
        .select((eb) => eb.fn.countAll<number>().as('rows'))
        .select(
          sql<boolean>`coalesce(bool_or(tenant_id IS NOT DISTINCT FROM ${tenantId ?? null}::uuid
            AND subject_type = ${subject.type} AND subject_id = ${subject.id}), false)`.as('this'),
        )
        .where('alert', '=', alert)
        .executeTakeFirstOrThrow();
      const fits = known.this || known.rows < MAX_ROWS;
      await tx
        .insertInto('anomalies')
        .values({
          alert,
          tenant_id: fits ? (tenantId ?? null) : null,
          subject_type: subject.type,
          subject_id: fits ? subject.id : OTHERS,
          details: JSON.stringify(fits ? details : {}),
          observed: count,
        })
        .onConflict((conflict) =>
          conflict.columns(['alert', 'tenant_id', 'subject_type', 'subject_id']).doUpdateSet((eb) => ({
            observed: eb('anomalies.observed', '+', eb.ref('excluded.observed')),
            details: eb.ref('excluded.details'),
            last_at: sql`clock_timestamp()`,
          })),
        )
        .execute();
    }
  });
}

export interface AnomalyDutyOptions<DB> {
  readonly database: Database<DB>;
  readonly emitter: Emitter;
  readonly cluster: DutyHost;
  readonly logger: Logger;
  /**
   * The tenant that runs the installation; undefined while there is none. Throws while auth is unavailable.
   */
  readonly platformTenant: () => Promise<string | undefined>;
}

type Schema = OutboxSchema & AnomaliesSchema;

interface Due {
  readonly id: string;
  /** Null: of the platform. */
  readonly tenant_id: string | null;
}

/**
 * Writes the audit events of anomalies: the first at once, then one every ten minutes while observations
 * continue, with the number since the last event. A row without new observations is removed.
 */
export function startAnomalyDuty<DB extends OutboxSchema>(options: AnomalyDutyOptions<DB>): Duty {
  const database = options.database as unknown as Database<Schema>;
  const { emitter, cluster, logger } = options;

  /** Rows of tenants and of the platform have a limit each, because the latter may have to wait. */
  const due = async (): Promise<readonly Due[]> => {
    const rows = await database.systemQuery((reader) =>
      sql<Due>`(SELECT id, tenant_id FROM anomalies WHERE due_at <= clock_timestamp() AND tenant_id IS NOT NULL
          ORDER BY due_at LIMIT ${BATCH})
        UNION ALL (SELECT id, tenant_id FROM anomalies WHERE due_at <= clock_timestamp() AND tenant_id IS NULL
          ORDER BY due_at LIMIT ${BATCH})`.compile(reader),
    );
    return rows;
  };

  const settle = async (id: string, tenantId: string, leadership: Leadership): Promise<void> => {
    try {
      await database.withTenant(tenantId, async (tx) => {
        await leadership.assert(tx);
        await writeEvent(tx, emitter, id, tenantId);
      });
    } catch (error) {
      if (error instanceof LeadershipLost) throw error;
      logger.warn({ err: error, id }, 'cannot write the event of an anomaly; it is tried again');
      // A failing row must not block the rows behind it.
      await database.system((tx) =>
        tx
          .updateTable('anomalies')
          .set({ due_at: sql<Date>`clock_timestamp() + ${RETRY}` })
          .where('id', '=', id)
          .execute(),
      );
    }
  };

  return startDuty({
    cluster,
    name: 'anomalies',
    everyMs: POLL_MS,
    run: async (leadership) => {
      const rows = await due();
      const ofPlatform = rows.filter(({ tenant_id }) => tenant_id === null);
      for (const { id, tenant_id } of rows) if (tenant_id !== null) await settle(id, tenant_id, leadership);
      if (ofPlatform.length === 0) return;
      const platformTenant = await options.platformTenant();
      if (platformTenant === undefined) return;
      for (const { id } of ofPlatform) await settle(id, platformTenant, leadership);
    },
  });
}

async function writeEvent(tx: Tx<Schema>, emitter: Emitter, id: string, tenantId: string): Promise<void> {
  const row = await tx
    .selectFrom('anomalies')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) return;
  if (row.observed === row.reported) {
    await tx.deleteFrom('anomalies').where('id', '=', id).execute();
    return;
  }
  await emitter.auditDuty(tx, {
    tenantId,
    action: anomalyAction(row.alert),
    outcome: 'failed',
    subjectType: row.subject_type,
    subjectId: row.subject_id,
    resourceId: '',
    requestId: '',
    reason: row.alert,
    details: {
      ...row.details,
      count: row.observed - row.reported,
      firstAt: row.first_at.toISOString(),
      lastAt: row.last_at.toISOString(),
    },
  });
  await tx
    .updateTable('anomalies')
    .set({ reported: row.observed, due_at: sql<Date>`clock_timestamp() + ${WINDOW}` })
    .where('id', '=', id)
    .execute();
}
