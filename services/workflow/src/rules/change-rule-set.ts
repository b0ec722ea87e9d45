import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { lookAlikeTexts, type Rule, type SoftwareEntry } from '@claviger/evaluator';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { RevisionKind } from './rules-tables.ts';

/** One object of a rule set as it is from the next version on. */
export interface RuleSetChange {
  readonly kind: RevisionKind;
  /** Of a rule or an entry its id; of an access policy the id of the resource, or `default`. */
  readonly objectId: string;
  /** What the evaluator takes; an access policy comes through `accessRuleOf`. Null: it is no longer there. */
  readonly body: Rule | SoftwareEntry | null;
  /** Names of authors and co-signers, by their id. */
  readonly people?: Readonly<Record<string, string>>;
}

/**
 * Waits until no other change of the tenant's rules is under way, and keeps others waiting until the transaction ends: what is
 * read afterwards is what will be changed. Answers the version in force.
 */
export async function lockRuleSet(tx: Tx<WorkflowSchema>, tenantId: string): Promise<number> {
  await tx
    .insertInto('rule_set_heads')
    .values({ tenant_id: tenantId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { version } = await tx
    .selectFrom('rule_set_heads')
    .select('version')
    .where('tenant_id', '=', tenantId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return version;
}

/**
 * Makes the next version of a tenant's rule set and answers it. All changes of one call come into force together, with the
 * commit of `tx`; decisions read one version or the other. Throws `invalid` for a new text that could be read as another one.
 */
export async function changeRuleSet(
  tx: Tx<WorkflowSchema>,
  tenantId: string,
  changes: readonly RuleSetChange[],
): Promise<number> {
  const version = (await lockRuleSet(tx, tenantId)) + 1;
  await tx
    .updateTable('rule_set_heads')
    .set({ version, changed_at: sql<Date>`clock_timestamp()` })
    .where('tenant_id', '=', tenantId)
    .execute();
  for (const { kind, objectId, body, people = {} } of changes) {
    const ended = await tx
      .updateTable('rule_revisions')
      .set({ until_version: version })
      .where('kind', '=', kind)
      .where('object_id', '=', objectId)
      .where('until_version', 'is', null)
      .returning(['row_version', 'created_at', 'body'])
      .executeTakeFirst();
    if (body === null) continue;
    refuseLookAlikes(kind, body, ended?.body ?? null);
    await tx
      .insertInto('rule_revisions')
      .values({
        tenant_id: tenantId,
        kind,
        object_id: objectId,
        from_version: version,
        until_version: null,
        body: JSON.stringify(body),
        people: JSON.stringify(people),
        row_version: (ended?.row_version ?? 0) + 1,
        ...(ended && { created_at: ended.created_at }),
      })
      .execute();
  }
  return version;
}

/** Here because every change comes by: rules, entries of known software and policies of access. */
function refuseLookAlikes(kind: RevisionKind, body: object, before: object | null): void {
  const fields = lookAlikeTexts(body, before).map(({ pointer, detail }) => ({
    // A policy of access has its steps at the top where people write it.
    pointer: kind === 'access' ? pointer.replace(/^\/access/, '') : pointer,
    detail,
  }));
  if (fields.length === 0) return;
  throw new ClavigerError('invalid', 'A text could be read as another one.', {
    fields,
    hint: 'Write each word in letters of one alphabet; `?` stands for any letter in a path.',
  });
}
