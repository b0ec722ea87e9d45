import type * as workflowEvidence from '@claviger/contracts/workflow/v1/evidence';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EvidenceDeps } from './deps.ts';

/** Counts of decisions and grants that follow or break the controls, as of now by the database's clock. */
export function getWorkflowPosture(
  deps: EvidenceDeps,
): Handler<typeof workflowEvidence.EvidenceService.getWorkflowPosture> {
  return async ({ from }, context) => {
    if (!from) throw ClavigerError.invalid('/from', 'is required');
    const { rows } = await deps.database.readTenant(context.tenantId, (reader) =>
      sql<workflowEvidence.GetWorkflowPostureResponse>`
        SELECT
          (SELECT count(*) FROM decisions WHERE decided_at >= ${from}) AS "decisions",
          (SELECT count(*) FROM decisions JOIN requests ON requests.id = decisions.request_id
            WHERE decisions.decided_at >= ${from} AND decisions.decision = 'approve'
              AND decisions.user_id = requests.requester_id) AS "selfApprovals",
          (SELECT count(*) FROM grants WHERE status IN ('activating', 'active')) AS "openGrants",
          (SELECT count(*) FROM grants WHERE status IN ('activating', 'active')
            AND expires_at < now() - interval '5 minutes') AS "overdueGrants"`.execute(reader),
    );
    return rows[0]!;
  };
}
