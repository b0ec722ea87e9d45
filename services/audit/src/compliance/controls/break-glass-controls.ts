import { BREAK_GLASS_PREFIX, type Control } from '@claviger/compliance-package';
import { sql } from 'kysely';
import { type Assessment, assessedControl, LOOK_BACK_DAYS } from './assessment.ts';

/** More than the longest activation. */
const OPEN_HOURS = 24;
const REVIEW_DAYS = 7;

interface Counted {
  activations: number;
  not_closed: number;
  not_reviewed: number;
}

/** Checks that every break-glass activation ended and was reviewed in time. */
export async function breakGlassControls({ deps, tenantId, from }: Assessment): Promise<Control[]> {
  const ended = `${BREAK_GLASS_PREFIX}deactivated`;
  const reviewed = `${BREAK_GLASS_PREFIX}reviewed`;
  const { rows } = await deps.database.readTenant(tenantId, (reader) =>
    sql<Counted>`
      WITH lifecycle AS (SELECT subject_id, action, occurred_at FROM events
        WHERE tenant_id = current_tenant() AND outcome = 'allowed' AND occurred_at >= ${from}
          AND action IN (${`${BREAK_GLASS_PREFIX}activated`}, ${ended}, ${`${BREAK_GLASS_PREFIX}expired`}, ${reviewed})),
      opened AS (SELECT subject_id, min(occurred_at) AS at FROM lifecycle
        WHERE action = ${`${BREAK_GLASS_PREFIX}activated`} GROUP BY subject_id)
      SELECT count(*) AS activations,
        count(*) FILTER (WHERE at < now() - make_interval(hours => ${OPEN_HOURS})
          AND NOT EXISTS (SELECT FROM lifecycle AS later WHERE later.subject_id = opened.subject_id
            AND later.action IN (${ended}, ${`${BREAK_GLASS_PREFIX}expired`}))) AS not_closed,
        count(*) FILTER (WHERE at < now() - make_interval(days => ${REVIEW_DAYS})
          AND NOT EXISTS (SELECT FROM lifecycle AS later WHERE later.subject_id = opened.subject_id
            AND later.action = ${reviewed})) AS not_reviewed
      FROM opened`.execute(reader),
  );
  const { activations, not_closed, not_reviewed } = rows[0]!;
  return [
    assessedControl({
      id: 'break-glass-closed',
      title: `Every break-glass activation was ended within ${OPEN_HOURS} hours`,
      examined: activations,
      violations: not_closed,
      detail: `Activations of the last ${LOOK_BACK_DAYS} days.`,
      computedFrom:
        'audit: events breakglass.activated against breakglass.deactivated and breakglass.expired',
    }),
    assessedControl({
      id: 'break-glass-reviewed',
      title: `Every break-glass activation was reviewed within ${REVIEW_DAYS} days`,
      examined: activations,
      violations: not_reviewed,
      detail: `Activations of the last ${LOOK_BACK_DAYS} days.`,
      computedFrom: 'audit: events breakglass.activated against breakglass.reviewed',
    }),
  ];
}
