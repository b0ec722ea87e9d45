import type * as workflowEvidence from '@claviger/contracts/workflow/v1/evidence';
import { keysetCursor, parseKeysetCursor } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EvidenceDeps } from './deps.ts';
import { PAGE_SIZE } from './page-size.ts';

/** The access policies as of now, with the required approvers. */
export function listPolicyEvidence(
  deps: EvidenceDeps,
): Handler<typeof workflowEvidence.EvidenceService.listPolicyEvidence> {
  return async (request, context) => {
    const after = parseKeysetCursor(request.cursor, 1);
    const rows = await deps.database.readTenant(context.tenantId, (reader) => {
      const query = reader.selectFrom('access_policies').selectAll().orderBy('resource_id').limit(PAGE_SIZE);
      return (after ? query.where(sql<boolean>`resource_id > ${after[0]}::uuid`) : query).execute();
    });
    const last = rows.length < PAGE_SIZE ? undefined : rows.at(-1);
    return {
      items: rows.map((row) => ({
        resourceId: row.resource_id,
        steps: row.steps.length,
        approvalsNeeded: row.steps.reduce((sum, step) => sum + step.quorum, 0),
        approverUserIds: row.steps.flatMap((step) => step.approverUserIds),
        approverRoles: row.steps.flatMap((step) => step.approverRoles),
        maxDurationMinutes: row.max_duration_minutes,
        oneTime: row.one_time,
        rotateOnEnd: row.rotate_on_end,
        updatedBy: row.updated_by,
        updatedAt: row.updated_at.toISOString(),
      })),
      nextCursor: keysetCursor(last && [last.resource_id]),
    };
  };
}
