import { randomUUID } from 'node:crypto';
import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import { serialized } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { Period } from '../compliance-tables.ts';
import type { ComplianceDeps } from '../deps.ts';
import { requestedSections } from '../reports/report-range.ts';
import { momentsOf } from './cron.ts';
import { scheduleMessage } from './schedule-message.ts';

const MAX_SCHEDULES = 100;

/** Creates a schedule of packages. The answer shows the next five runs. */
export function createSchedule(
  deps: ComplianceDeps,
): Handler<typeof compliance.ComplianceService.createSchedule> {
  return async (request, context) => {
    const timeZone = request.timeZone || 'UTC';
    const moments = momentsOf(request.cron, timeZone);
    const id = randomUUID();
    const { userId, userName } = context.actor;
    return deps.database.withTenant(context.tenantId, async (tx) => {
      await serialized(tx, 'compliance-schedules');
      // Due times follow the clock of the database.
      const { rows } = await sql<{ now: Date; schedules: number }>`
        SELECT now() AS now, count(*) AS schedules FROM compliance_schedules`.execute(tx);
      const { now, schedules } = rows[0]!;
      if (schedules >= MAX_SCHEDULES)
        throw new ClavigerError('conflict', `The limit of ${MAX_SCHEDULES} schedules is reached.`, {
          code: 'too_many_schedules',
          hint: 'Delete a schedule that is no longer needed.',
        });
      const row = await tx
        .insertInto('compliance_schedules')
        .values({
          tenant_id: context.tenantId,
          id,
          name: request.name,
          cron: request.cron,
          time_zone: timeZone,
          period: (request.period || 'month') as Period,
          sections: requestedSections(request.sections),
          next_run_at: moments.next(1, now)[0]!,
          created_by: userId,
          created_by_name: userName,
          bom: request.bom,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await deps.emitter.audit(tx, context, { subject: { type: 'compliance-schedule', id }, request });
      return { schedule: scheduleMessage(row) };
    });
  };
}
