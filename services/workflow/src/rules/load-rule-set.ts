import { anyOf, type Database, type Reader } from '@claviger/database';
import {
  accessRuleOf,
  compileRuleSetGradually,
  type Rule,
  type RuleSet,
  type SoftwareEntry,
} from '@claviger/evaluator';
import { sql } from 'kysely';
import { DEFAULT_POLICY } from '../policies/access-policy.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { RevisionKind } from './rules-tables.ts';

/** The half of a rule set that each evaluator needs: lists of known software, or rules with access policies. */
export type RuleSetPart = 'software' | 'rules';

/** The object id of the access policy that holds where a resource has none of its own. */
export const DEFAULT_ACCESS_POLICY = 'default';

/** A wait for a lock or a slow disk ends here, whatever the caller does. */
export async function limitStatements(reader: Reader<WorkflowSchema>, timeoutMs: number): Promise<void> {
  await sql`SELECT set_config('statement_timeout', ${`${timeoutMs}`}, true)`.execute(reader);
}

/** The version in force; 0 where nothing was ever changed. */
export async function readVersion(reader: Reader<WorkflowSchema>): Promise<number> {
  const head = await reader.selectFrom('rule_set_heads').select('version').executeTakeFirst();
  return head?.version ?? 0;
}

export async function readEntries(reader: Reader<WorkflowSchema>, version: number): Promise<SoftwareEntry[]> {
  const rows = await revisionsAt(reader, ['software'], version);
  return rows.map(({ body }) => body as SoftwareEntry);
}

/** Rules and access policies; the default policy is among them where nobody has written one. */
export async function readRules(reader: Reader<WorkflowSchema>, version: number): Promise<Rule[]> {
  const rows = await revisionsAt(reader, ['rule', 'access'], version);
  const rules = rows.map(({ body }) => body as Rule);
  const hasDefault = rows.some(
    ({ kind, object_id }) => kind === 'access' && object_id === DEFAULT_ACCESS_POLICY,
  );
  return hasDefault ? rules : [...rules, accessRuleOf(null, DEFAULT_POLICY)];
}

/** A whole rule set as it was at a version, with its lists: what explains and repeats a decision. */
export async function ruleSetAt(
  database: Database<WorkflowSchema>,
  tenantId: string,
  version: number,
): Promise<RuleSet> {
  const { rules, entries } = await database.readTenant(tenantId, async (reader) => ({
    rules: await readRules(reader, version),
    entries: await readEntries(reader, version),
  }));
  return compileRuleSetGradually(`${version}`, rules, entries);
}

function revisionsAt(reader: Reader<WorkflowSchema>, kinds: readonly RevisionKind[], version: number) {
  return reader
    .selectFrom('rule_revisions')
    .select(['kind', 'object_id', 'body'])
    .where('kind', '=', anyOf(kinds, 'text'))
    .where('from_version', '<=', version)
    .where((each) => each.or([each('until_version', 'is', null), each('until_version', '>', version)]))
    .execute();
}
