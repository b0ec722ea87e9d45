import type { Reader } from '@claviger/database';
import type { RuleSet } from '@claviger/evaluator';
import { ruleSetAt } from '../rules/load-rule-set.ts';
import { findEvaluation } from '../rules/record-evaluation.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { Kept } from './tell.ts';

/** What was decided about a request, and by which rules as they were then; those for who may read them only. */
export async function readDecision(
  reader: Reader<WorkflowSchema>,
  requestId: string,
  mayReadRules: boolean,
): Promise<{ readonly kept: Kept; readonly ruleSet: RuleSet | undefined }> {
  const kept = await findEvaluation(reader, requestId);
  const version = kept?.evaluation.ruleSetVersion;
  // A decision that failed names no version: no rules explain it.
  const ruleSet = mayReadRules && version ? await ruleSetAt(reader, Number(version)) : undefined;
  return { kept, ruleSet };
}
