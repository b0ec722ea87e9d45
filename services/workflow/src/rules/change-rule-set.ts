import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { lookAlikeTexts, type Rule, type SoftwareEntry } from '@claviger/evaluator';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { RevisionKind } from './rules-tables.ts';

/** The state of one object of a rule set from the next version on. */
export interface RuleSetChange {
  readonly kind: RevisionKind;
  /** The id of a rule or an entry; for an access policy the id of the resource, or `default`. */
  readonly objectId: string;
  /**
   * The input of the evaluator; for an access policy the result of `accessRuleOf`. Null: the object is
   * removed.
   */
  readonly body: Rule | SoftwareEntry | null;
  /** Names of authors and co-signers by id. */
  readonly people?: Readonly<Record<string, string>>;
}

/**
 * Locks the rules of the tenant until the transaction ends, so that values read afterwards are current when
 * they are changed. Returns the current version.
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
 * Creates the next version of a tenant's rule set and returns its number. All changes of a call take effect
 * together when `tx` commits; a decision reads one version or the other. Throws `invalid` for a new text that
 * resembles another one.
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

/** All changes pass through here: rules, list entries and access policies. */
function refuseLookAlikes(kind: RevisionKind, body: object, before: object | null): void {
  const fields = lookAlikeTexts(body, before).map(({ pointer, detail }) => ({
    // In the API, the steps of an access policy are at the top level.
    pointer: kind === 'access' ? pointer.replace(/^\/access/, '') : pointer,
    detail,
  }));
  if (fields.length === 0) return;
  throw new ClavigerError('invalid', 'A text could be mistaken for another one.', {
    fields,
    hint: 'Write each word in letters of one alphabet; in a path, `?` matches any letter.',
  });
}
