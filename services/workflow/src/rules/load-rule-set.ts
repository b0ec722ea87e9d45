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

/**
 * The part of a rule set for one stage: the lists of known software, or the rules with the access policies.
 */
export type RuleSetPart = 'software' | 'rules';

/** The object id of the default access policy. */
export const DEFAULT_ACCESS_POLICY = 'default';

/** Limits the time of waits for locks and of slow statements on the database's side. */
export async function limitStatements(reader: Reader<WorkflowSchema>, timeoutMs: number): Promise<void> {
  await sql`SELECT set_config('statement_timeout', ${`${timeoutMs}`}, true)`.execute(reader);
}

/** The current version; 0 if the rules were never changed. */
export async function readVersion(reader: Reader<WorkflowSchema>): Promise<number> {
  const head = await reader.selectFrom('rule_set_heads').select('version').executeTakeFirst();
  return head?.version ?? 0;
}

export async function readEntries(reader: Reader<WorkflowSchema>, version: number): Promise<SoftwareEntry[]> {
  const rows = await revisionsAt(reader, ['software'], version);
  return rows.map(({ body }) => body as SoftwareEntry);
}

/** Rules and access policies, including the default policy if none is stored. */
export async function readRules(reader: Reader<WorkflowSchema>, version: number): Promise<Rule[]> {
  const rows = await revisionsAt(reader, ['rule', 'access'], version);
  const rules = rows.map(({ body }) => body as Rule);
  const hasDefault = rows.some(
    ({ kind, object_id }) => kind === 'access' && object_id === DEFAULT_ACCESS_POLICY,
  );
  return hasDefault ? rules : [...rules, accessRuleOf(null, DEFAULT_POLICY)];
}

/** The whole rule set at a version, with its lists, to explain and repeat a decision. */
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
