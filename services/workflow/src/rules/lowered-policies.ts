import type { Reader } from '@claviger/database';
import type { Finding } from '@claviger/evaluator';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

const MAX_FINDINGS = 100;

interface Lowered {
  readonly rule_id: string;
  readonly name: string;
  readonly author_ids: readonly string[];
  readonly before: number;
  readonly now: number;
  readonly asked: number;
}

/**
 * Current access policies that require fewer approvals than the last version by another author, and under
 * which the author, or their machine identity, has requested access since. Saving the policy again does not
 * hide the finding.
 */
export async function loweredPolicies(
  reader: Reader<WorkflowSchema>,
  nameOf: (userId: string) => string,
): Promise<Finding[]> {
  const { rows } = await sql<Lowered>`
    SELECT n.body ->> 'id' AS rule_id, n.name, n.author_ids, b.approvals AS before, n.approvals AS now, r.asked
    FROM (SELECT object_id, body, name, from_version,
        ARRAY(SELECT jsonb_array_elements_text(body -> 'authorIds')) AS author_ids, ${approvals('rule_revisions')} AS approvals
      FROM rule_revisions WHERE kind = 'access' AND until_version IS NULL AND from_version > 1) n
    CROSS JOIN LATERAL (SELECT p.from_version, ${approvals('p')} AS approvals FROM rule_revisions p
      WHERE p.kind = 'access' AND p.object_id = n.object_id AND p.from_version < n.from_version
        AND NOT jsonb_exists_any(p.body -> 'authorIds', n.author_ids)
      ORDER BY p.from_version DESC LIMIT 1) b
    CROSS JOIN LATERAL (SELECT min(l.changed_at) AS at FROM rule_revisions l
      WHERE l.kind = 'access' AND l.object_id = n.object_id AND l.from_version > b.from_version) since
    CROSS JOIN LATERAL (SELECT count(*)::int AS asked FROM requests q
      WHERE q.kind = 'access' AND b.approvals > n.approvals AND q.resource_id = nullif(n.object_id, 'default')::uuid AND q.created_at >= since.at
        AND (q.requester_behind || q.requester_id)::text[] && n.author_ids) r
    WHERE r.asked > 0
    ORDER BY n.object_id LIMIT ${MAX_FINDINGS}`.execute(reader);
  return rows.map((row) => {
    const who = row.author_ids.map((id) => nameOf(id) || id).join(', ');
    return {
      code: 'author_lowered',
      severity: 'warning',
      ruleId: row.rule_id,
      userIds: row.author_ids,
      message: `“${row.name}” requires ${row.now} approvals instead of ${row.before}: ${who} changed it, and has requested access under it ${row.asked} times since.`,
    };
  });
}

/** The number of approvals of all steps together. */
function approvals(table: string) {
  return sql`(SELECT coalesce(sum((s ->> 'quorum')::int), 0)::int FROM jsonb_array_elements(${sql.ref(`${table}.body`)} -> 'access' -> 'steps') s)`;
}
