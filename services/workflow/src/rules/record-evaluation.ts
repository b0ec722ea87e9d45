import { randomUUID } from 'node:crypto';
import type { Reader, Tx } from '@claviger/database';
import type { WorkflowSchema } from '../schema.ts';
import type { Decided } from './decider.ts';
import type { Answer } from './rules-tables.ts';

export interface NewEvaluation {
  readonly tenantId: string;
  readonly requestId: string;
  /** The label of the request: `acme\sarah on WIN-ACCT-04`. */
  readonly label: string;
  readonly decided: Decided;
}

/** Stores the decision with its facts, in the transaction that creates the request. Returns the id. */
export async function recordEvaluation(
  tx: Tx<WorkflowSchema>,
  { tenantId, requestId, label, decided: { facts, evaluation } }: NewEvaluation,
): Promise<string> {
  const id = randomUUID();
  const { decidingRule, approvalDurationMinutes, actionDigest, access } = evaluation;
  const answer: Answer = { decidingRule, approvalDurationMinutes, actionDigest, access };
  await tx
    .insertInto('evaluations')
    .values({
      tenant_id: tenantId,
      id,
      request_id: requestId,
      kind: facts.kind,
      rule_set_version: evaluation.ruleSetVersion === '' ? null : Number(evaluation.ruleSetVersion),
      facts: JSON.stringify(facts),
      verdict: evaluation.verdict,
      because: evaluation.because,
      deciding_rule_id: decidingRule?.id ?? null,
      source: evaluation.source,
      label,
      trace: JSON.stringify(evaluation.trace),
      answer: JSON.stringify(answer),
    })
    .execute();
  return id;
}

/** The stored decision of a request; undefined for a request that was never evaluated. */
export async function findEvaluation(
  reader: Reader<WorkflowSchema>,
  requestId: string,
): Promise<(Decided & { readonly decidedAt: Date; readonly label: string }) | undefined> {
  const row = await reader
    .selectFrom('evaluations')
    .selectAll()
    .where('request_id', '=', requestId)
    .orderBy('decided_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  const { verdict, because, source, trace, answer } = row;
  const ruleSetVersion = row.rule_set_version === null ? '' : `${row.rule_set_version}`;
  return {
    facts: row.facts,
    evaluation: { ...answer, verdict, because, source, trace, ruleSetVersion },
    decidedAt: row.decided_at,
    label: row.label,
  };
}
