import type {
  Because,
  Evaluation,
  Facts,
  Rule,
  SoftwareEntry,
  Source,
  Trace,
  Verdict,
} from '@claviger/evaluator';
import type { ColumnType, Generated, GeneratedAlways, JSONColumnType, Selectable } from 'kysely';

/** A rule, an entry of the lists of known software, an access policy. */
export type RevisionKind = 'rule' | 'software' | 'access';

/** The part of an evaluation that has no columns of its own. */
export type Answer = Pick<Evaluation, 'decidingRule' | 'approvalDurationMinutes' | 'actionDigest' | 'access'>;

export interface RulesTables {
  rule_set_heads: {
    tenant_id: string;
    version: Generated<number>;
    changed_at: Generated<Date>;
  };
  rule_revisions: {
    tenant_id: string;
    kind: RevisionKind;
    object_id: string;
    from_version: number;
    until_version: number | null;
    body: JSONColumnType<Rule | SoftwareEntry, string, never>;
    people: JSONColumnType<Record<string, string>, string, never>;
    row_version: number;
    created_at: ColumnType<Date, Date | undefined, never>;
    changed_at: ColumnType<Date, undefined, never>;
    name: GeneratedAlways<string>;
    site_id: GeneratedAlways<string | null>;
    enabled: GeneratedAlways<boolean>;
    asked: GeneratedAlways<number>;
  };
  evaluations: {
    tenant_id: string;
    id: string;
    request_id: string;
    kind: Facts['kind'];
    rule_set_version: number | null;
    facts: JSONColumnType<Facts, string, never>;
    verdict: Verdict;
    because: Because;
    deciding_rule_id: string | null;
    source: Source | null;
    label: string;
    trace: JSONColumnType<Trace, string, never>;
    answer: JSONColumnType<Answer, string, never>;
    site_id: GeneratedAlways<string | null>;
    flow_type: GeneratedAlways<string | null>;
    decided_at: Generated<Date>;
  };
}

export type RevisionRow = Selectable<RulesTables['rule_revisions']>;
export type EvaluationRow = Selectable<RulesTables['evaluations']>;
