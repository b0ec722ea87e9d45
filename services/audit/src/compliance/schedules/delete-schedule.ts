import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { ComplianceDeps } from '../deps.ts';

/** Deletes a schedule. Reports that it has already ordered are still made. */
export function deleteSchedule(
  deps: ComplianceDeps,
): Handler<typeof compliance.ComplianceService.deleteSchedule> {
  return async (request, context) => {
    const id = request.scheduleId;
    context.auditSubject = { type: 'compliance-schedule', id };
    await deps.database.withTenant(context.tenantId, async (tx) => {
      const gone = await tx
        .deleteFrom('compliance_schedules')
        .where('id', '=', id)
        .returning('name')
        .executeTakeFirst();
      if (gone === undefined) throw ClavigerError.notFound();
      await deps.emitter.audit(tx, context, {
        subject: { type: 'compliance-schedule', id },
        details: { name: gone.name },
      });
    });
    return {};
  };
}
