import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { Reader } from '@claviger/database';
import { ClavigerError, type FieldProblem } from '@claviger/errors';
import {
  type AccessPolicyFields,
  accessRuleOf,
  createPace,
  lookAlikeTexts,
  problemsOfEntry,
  type Rule,
  type SoftwareEntry,
  validateRule,
} from '@claviger/evaluator';
import type { Actor } from '@claviger/service-kit';
import { withinSites } from '@claviger/service-kit';
import type { RuleSetContent } from '../evaluation/messages.ts';
import { DEFAULT_POLICY } from '../policies/access-policy.ts';
import type { WorkflowSchema } from '../schema.ts';
import { readEntries, readRules, readVersion } from './load-rule-set.ts';
import { MAX_OBJECTS } from './revision-store.ts';
import { entryFieldsOf, ruleFieldsOf } from './rule-fields.ts';

export interface Draft {
  readonly wholeSet: boolean;
  readonly rules: readonly contract.RuleDraft[];
  readonly removedRuleIds: readonly string[];
  readonly softwareEntries: readonly contract.SoftwareDraft[];
  readonly removedSoftwareEntryIds: readonly string[];
  readonly accessPolicies: readonly contract.AccessPolicyDraft[];
}

export interface DraftRuleSet {
  /** The version that the draft starts from. */
  readonly version: number;
  /** Not compiled. Rejects as `invalid`, naming each wrong field of the drafts. */
  readonly content: () => Promise<RuleSetContent>;
}

/**
 * The current rules with the drafts applied. The actor becomes an author of a rule that a draft changes, as
 * in a real change; an unchanged rule keeps its authors.
 */
export async function draftRuleSet(
  reader: Reader<WorkflowSchema>,
  draft: Draft,
  actor: Actor,
  acting: readonly string[],
): Promise<DraftRuleSet> {
  const version = await readVersion(reader);
  const stored = await readRules(reader, version);
  const entries = await readEntries(reader, version);
  return {
    version,
    content: async () => {
      const drafts = new Drafts(draft, actor, acting);
      const rules = await drafts.rules(stored.filter((rule) => !isAccess(rule)));
      const softwareEntries = await drafts.entries(entries);
      const policies = await drafts.policies(stored.filter(isAccess));
      drafts.refuse();
      return { version: `${version}`, rules: [...rules, ...policies], softwareEntries };
    },
  };
}

class Drafts {
  readonly #problems: FieldProblem[] = [];
  readonly #pace = createPace();
  readonly #draft: Draft;
  readonly #actor: Actor;
  readonly #acting: readonly string[];

  constructor(draft: Draft, actor: Actor, acting: readonly string[]) {
    this.#draft = draft;
    this.#actor = actor;
    this.#acting = acting;
  }

  refuse(): void {
    if (this.#problems.length === 0) return;
    throw new ClavigerError('invalid', 'The draft is not valid.', { fields: this.#problems.slice(0, 100) });
  }

  rules(inForce: readonly Rule[]): Promise<Rule[]> {
    const { wholeSet, rules, removedRuleIds } = this.#draft;
    return this.#apply(
      { field: 'rules', removedField: 'removedRuleIds' },
      inForce,
      wholeSet,
      rules,
      removedRuleIds,
      (draft, id, old) => {
        const fields = ruleFieldsOf(draft);
        const rule = { ...fields, id, authorIds: this.#authors(old), coSignerIds: draft.coSignerIds };
        const isSame = old !== undefined && sameFields(rule, old);
        const coSignerIds = draft.coSignerIds.length > 0 ? draft.coSignerIds : (old?.coSignerIds ?? []);
        return {
          object: isSame ? { ...old, coSignerIds } : rule,
          problems: isSame ? validateRule(fields) : [...validateRule(fields), ...lookAlikeTexts(fields, old)],
        };
      },
    );
  }

  entries(inForce: readonly SoftwareEntry[]): Promise<SoftwareEntry[]> {
    const { wholeSet, softwareEntries, removedSoftwareEntryIds } = this.#draft;
    const names = { field: 'softwareEntries', removedField: 'removedSoftwareEntryIds' };
    return this.#apply(
      names,
      inForce,
      wholeSet,
      softwareEntries,
      removedSoftwareEntryIds,
      (draft, id, old) => {
        const entry: SoftwareEntry = { ...entryFieldsOf(draft), id, authorIds: this.#authors(old) };
        const isSame = old !== undefined && sameFields(entry, old);
        return {
          object: isSame ? old : entry,
          problems: [...problemsOfEntry(entry), ...lookAlikeTexts(entry, old)],
        };
      },
    );
  }

  /**
   * Access policies as rules. A draft overrides the current policy of its resource; the default applies to
   * resources without one.
   */
  async policies(inForce: readonly Rule[]): Promise<Rule[]> {
    const { wholeSet, accessPolicies } = this.#draft;
    const stored = new Map(inForce.map((rule) => [rule.id, rule]));
    const result = new Map(wholeSet ? [] : stored);
    const seen = new Set<string>();
    for (const [index, draft] of accessPolicies.entries()) {
      await this.#pace();
      const at = `/accessPolicies/${index}`;
      const resourceId = draft.resourceId || null;
      const { id } = accessRuleOf(resourceId, DEFAULT_POLICY);
      if (seen.has(id)) this.#problem(`${at}/resourceId`, 'is listed twice');
      seen.add(id);
      const old = stored.get(id);
      const terms: AccessPolicyFields = {
        ...(old?.access ?? DEFAULT_POLICY),
        maxDurationMinutes: draft.maxDurationMinutes,
        steps: draft.steps.map((step, position) => ({
          name: step.name.trim() || `step ${position + 1}`,
          quorum: step.quorum,
          approverUserIds: step.approverUserIds,
          approverRoles: step.approverRoles,
        })),
      };
      const rule = accessRuleOf(resourceId, terms, this.#authors(old));
      const { id: _, authorIds: __, ...fields } = rule;
      for (const { pointer, detail } of validateRule(fields))
        this.#problem(`${at}${pointer.replace(/^\/access/, '')}`, detail);
      result.set(id, old && sameFields(rule, old) ? old : rule);
    }
    const fallback = accessRuleOf(null, DEFAULT_POLICY);
    if (!result.has(fallback.id)) result.set(fallback.id, fallback);
    return [...result.values()];
  }

  async #apply<D extends { id: string }, T extends { id: string; siteId?: string | null }>(
    { field, removedField }: { field: string; removedField: string },
    inForce: readonly T[],
    wholeSet: boolean,
    drafts: readonly D[],
    removedIds: readonly string[],
    make: (draft: D, id: string, old: T | undefined) => { object: T; problems: readonly FieldProblem[] },
  ): Promise<T[]> {
    const stored = new Map(inForce.map((object) => [object.id, object]));
    const visible = (id: string): T | undefined => {
      const object = stored.get(id.toLowerCase());
      const shown = object && (!object.siteId || withinSites(this.#actor, object.siteId));
      return shown ? object : undefined;
    };
    const result = new Map(wholeSet ? [] : stored);
    for (const [index, id] of removedIds.entries()) {
      if (!visible(id)) this.#problem(`/${removedField}/${index}`, 'is not in force');
      else result.delete(id.toLowerCase());
    }
    const seen = new Set<string>();
    for (const [index, draft] of drafts.entries()) {
      await this.#pace();
      const at = `/${field}/${index}`;
      const old = draft.id === '' ? undefined : visible(draft.id);
      if (draft.id !== '' && !old && !wholeSet)
        this.#problem(`${at}/id`, 'is not in force; leave it out for a new one');
      const id = old?.id ?? (draft.id || `draft-${index}`);
      if (seen.has(id)) this.#problem(`${at}/id`, 'is listed twice');
      seen.add(id);
      const { object, problems } = make(draft, id, old);
      for (const { pointer, detail } of problems) this.#problem(`${at}${pointer}`, detail);
      result.set(id, object);
    }
    if (result.size > MAX_OBJECTS) this.#problem(`/${field}`, `would be more than ${MAX_OBJECTS}`);
    return [...result.values()];
  }

  #authors(old: { readonly authorIds: readonly string[] } | undefined): string[] {
    return [...new Set([...(old?.authorIds ?? []), ...this.#acting])];
  }

  #problem(pointer: string, detail: string): void {
    this.#problems.push({ pointer, detail });
  }
}

export function isAccess(rule: Rule): boolean {
  return rule.matchResourceId !== undefined && rule.matchResourceId !== null;
}

/** Whether two objects have the same fields, apart from their authors. */
function sameFields(a: object, b: object): boolean {
  return plain(a) === plain(b);
}

function plain(object: object): string {
  const fields = Object.entries(object)
    .filter(
      ([name, value]) =>
        name !== 'authorIds' && name !== 'coSignerIds' && value !== null && value !== undefined,
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(fields, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
