import type * as workflowEvidence from '@claviger/contracts/workflow/v1/evidence';
import { anyOf, keysetCursor, parseKeysetCursor } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EvidenceDeps } from './deps.ts';
import { PAGE_SIZE } from './page-size.ts';

/** The requests of a time range, oldest first, each with all its decisions. */
export function listApprovalEvidence(
  deps: EvidenceDeps,
): Handler<typeof workflowEvidence.EvidenceService.listApprovalEvidence> {
  return async ({ from, before, cursor }, context) => {
    if (!from || !before) throw ClavigerError.invalid('/from', 'from and before are required');
    const after = parseKeysetCursor(cursor, 2);
    const { rows, decisions } = await deps.database.readTenant(context.tenantId, async (reader) => {
      const query = reader
        .selectFrom('requests')
        .selectAll()
        .select(sql<string>`created_at::text`.as('exact_time'))
        .where(sql<boolean>`created_at >= ${from} AND created_at < ${before}`)
        .orderBy('created_at')
        .orderBy('id')
        .limit(PAGE_SIZE);
      const rows = await (after
        ? query.where(sql<boolean>`(created_at, id) > (${after[0]}::timestamptz, ${after[1]}::uuid)`)
        : query
      ).execute();
      const ids = rows.map((row) => row.id);
      const decisions =
        ids.length === 0
          ? []
          : await reader
              .selectFrom('decisions')
              .selectAll()
              .where('request_id', '=', anyOf(ids, 'uuid'))
              .orderBy('decided_at')
              .orderBy('user_id')
              .execute();
      return { rows, decisions: Map.groupBy(decisions, (decision) => decision.request_id) };
    });
    const last = rows.length < PAGE_SIZE ? undefined : rows.at(-1);
    return {
      items: rows.map((row) => ({
        requestId: row.id,
        kind: row.kind,
        status: row.status,
        requesterId: row.requester_id,
        requesterName: row.requester_name,
        entryName: row.entry_name,
        resourceName: row.resource_name,
        reason: row.reason,
        durationMinutes: row.duration_minutes,
        decisions: (decisions.get(row.id) ?? []).map((decision) => ({
          step: decision.step,
          userId: decision.user_id,
          userName: decision.user_name,
          decision: decision.decision,
          decidedAt: decision.decided_at.toISOString(),
        })),
        createdAt: row.created_at.toISOString(),
        decidedAt: row.decided_at?.toISOString(),
      })),
      nextCursor: keysetCursor(last && [last.exact_time, last.id]),
    };
  };
}
