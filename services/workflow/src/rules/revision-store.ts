import type { Reader, Tx } from '@claviger/database';
import { ClavigerError, type FieldProblem } from '@claviger/errors';
import type { Actor } from '@claviger/service-kit';
import type { WorkflowSchema } from '../schema.ts';
import { changeRuleSet, lockRuleSet, type RuleSetChange } from './change-rule-set.ts';
import { requireSite, visibleTo } from './rule-access.ts';
import type { RevisionKind, RevisionRow } from './rules-tables.ts';

/** Maximum number of rules of a tenant, and of its list entries. */
export const MAX_OBJECTS = 10_000;

const WORDS: Record<Exclude<RevisionKind, 'access'>, string> = { rule: 'rule', software: 'entry' };
type Kind = keyof typeof WORDS;

/** The current revision, if the reader may see it. */
export async function visibleRevision(
  reader: Reader<WorkflowSchema>,
  kind: Kind,
  id: string,
  actor: Actor,
): Promise<RevisionRow> {
  const row = await inForce(reader, kind)
    .where('object_id', '=', id)
    .where(visibleTo(actor))
    .executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return row;
}

/**
 * The current revision, locked until the transaction ends. Throws `site_denied` outside the sites of the
 * actor, `precondition_failed` if another version was expected; 0 expects no revision.
 */
export async function revisionToChange(
  tx: Tx<WorkflowSchema>,
  {
    tenantId,
    kind,
    id,
    actor,
    rowVersion,
  }: {
    tenantId: string;
    kind: Kind;
    id: string;
    actor: Actor;
    rowVersion: number;
  },
): Promise<RevisionRow> {
  await lockRuleSet(tx, tenantId);
  const row = await inForce(tx, kind).where('object_id', '=', id).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  requireSite(actor, row.site_id);
  if (rowVersion !== 0 && rowVersion !== row.row_version) {
    throw new ClavigerError('precondition_failed', `The ${WORDS[kind]} has changed since you read it.`, {
      hint: 'Read it again, then repeat your change with its rowVersion.',
    });
  }
  return row;
}

/** Throws `conflict` if the tenant has reached the maximum. Locks the rule set until the transaction ends. */
export async function requireRoom(tx: Tx<WorkflowSchema>, tenantId: string, kind: Kind): Promise<void> {
  await lockRuleSet(tx, tenantId);
  const { total } = await tx
    .selectFrom('rule_revisions')
    .select((each) => each.fn.countAll<number>().as('total'))
    .where('kind', '=', kind)
    .where('until_version', 'is', null)
    .executeTakeFirstOrThrow();
  if (total < MAX_OBJECTS) return;
  throw new ClavigerError('conflict', `The maximum of ${MAX_OBJECTS} objects of this kind is reached.`, {
    code: 'rule_limit',
    hint: 'Delete unreachable ones: the examination of the rules (lint) names them.',
  });
}

/** Puts one object into the next version and returns it. */
export async function putRevision(
  tx: Tx<WorkflowSchema>,
  tenantId: string,
  change: RuleSetChange & { readonly kind: Kind },
): Promise<RevisionRow> {
  await changeRuleSet(tx, tenantId, [change]);
  return inForce(tx, change.kind).where('object_id', '=', change.objectId).executeTakeFirstOrThrow();
}

export function refuseProblems(what: string, fields: readonly FieldProblem[]): void {
  if (fields.length > 0) throw new ClavigerError('invalid', `The ${what} is not valid.`, { fields });
}

function inForce(reader: Reader<WorkflowSchema>, kind: Kind) {
  return reader
    .selectFrom('rule_revisions')
    .selectAll()
    .where('kind', '=', kind)
    .where('until_version', 'is', null);
}
