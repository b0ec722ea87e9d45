import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import type { Reader } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { presentMs } from '../database-clock.ts';
import type { WorkflowSchema } from '../schema.ts';
import { breakglassSettings } from './breakglass-settings.ts';
import type { BreakglassDeps } from './deps.ts';
import { sessionMessage } from './session-view.ts';

/** The open emergency access of the tenant, and its policy. */
export function getBreakglassStatus(
  deps: BreakglassDeps,
): Handler<typeof breakglass.BreakglassService.getBreakglassStatus> {
  return async (_request, { tenantId }) => {
    const { mode, maximumMinutes } = await breakglassSettings(deps, tenantId);
    return deps.database.readTenant(tenantId, async (reader) => {
      const [open, counts, drill] = await Promise.all([
        openSessions(reader),
        countsOf(reader),
        reader
          .selectFrom('breakglass_drills')
          .select(['run_at', 'passed'])
          .orderBy('run_at', 'desc')
          .orderBy('id', 'desc')
          .limit(1)
          .executeTakeFirst(),
      ]);
      const nowMs = await presentMs(reader);
      return {
        active: open.some((row) => row.state === 'active'),
        openSessions: open.map((row) => sessionMessage(row, nowMs)),
        ...counts,
        mode,
        maximumMinutes,
        lastDrillAt: drill?.run_at.toISOString(),
        lastDrillPassed: drill?.passed ?? false,
      };
    });
  };
}

/** Sessions that are open or await confirmation, by the clock and not by the stored state. */
export function openSessions(reader: Reader<WorkflowSchema>) {
  return reader
    .selectFrom('breakglass_sessions')
    .selectAll()
    .where('state', 'in', ['awaiting-confirmation', 'active'])
    .where(sql<boolean>`coalesce(expires_at, confirm_until) > clock_timestamp()`)
    .orderBy('requested_at')
    .limit(100)
    .execute();
}

async function countsOf(
  reader: Reader<WorkflowSchema>,
): Promise<{ readonly unreviewed: number; readonly unusedCodes: number }> {
  const { rows } = await sql<{ unreviewed: number; unusedCodes: number }>`SELECT
    (SELECT count(*) FROM breakglass_sessions WHERE activated_at IS NOT NULL AND reviewed_at IS NULL
      AND (state IN ('expired', 'deactivated') OR (state = 'active' AND expires_at <= clock_timestamp())))::int
      AS "unreviewed",
    (SELECT count(*) FROM breakglass_codes WHERE used_at IS NULL AND withdrawn_at IS NULL)::int AS "unusedCodes"`.execute(
    reader,
  );
  return rows[0]!;
}
