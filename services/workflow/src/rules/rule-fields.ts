import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { RuleFields, SoftwareEntry, TimeWindow } from '@claviger/evaluator';

/** All fields that users set, except name and verdict, which every rule has. */
const OPTIONAL = [
  'siteId',
  'matchSigner',
  'matchHash',
  'matchPathGlob',
  'matchParentImage',
  'matchUser',
  'matchAdGroup',
  'matchToolName',
  'matchRiskTier',
  'approvalDurationMinutes',
] as const;

type Fields = Partial<Omit<contract.RuleDraft, 'id' | 'coSignerIds'>>;

/** The fields of a rule in a message. It has no resources: access has its own policies. */
export function ruleFieldsOf(message: Fields & Pick<contract.RuleDraft, 'name' | 'verdict'>): RuleFields {
  return {
    name: message.name,
    verdict: message.verdict as RuleFields['verdict'],
    priority: message.priority ?? 100,
    enabled: message.enabled ?? true,
    ...criteriaOf(message),
  };
}

/** The criteria and the duration; unset fields are omitted. */
export function criteriaOf(message: Fields): Partial<RuleFields> {
  const given = OPTIONAL.filter((field) => message[field] !== undefined).map((field) => [
    field,
    spelt(field, message[field]!),
  ]);
  return {
    ...Object.fromEntries(given),
    ...(message.timeWindow && { timeWindow: windowOf(message.timeWindow) }),
  };
}

type Patch = Pick<contract.UpdateRuleRequest, 'updateMask'> & Fields;

/** The changes in a request: a named field without a value is removed. */
export function rulePatchOf(request: Patch): Partial<RuleFields> {
  const cleared = [...OPTIONAL, 'timeWindow' as const].filter(
    (field) => request.updateMask.includes(field) && request[field] === undefined,
  );
  return {
    ...(request.name !== undefined && { name: request.name }),
    ...(request.verdict && { verdict: request.verdict as RuleFields['verdict'] }),
    ...(request.priority !== undefined && { priority: request.priority }),
    ...(request.enabled !== undefined && { enabled: request.enabled }),
    ...criteriaOf(request),
    ...Object.fromEntries(cleared.map((field) => [field, null])),
  };
}

type EntryFields = Pick<
  SoftwareEntry,
  'name' | 'list' | 'enabled' | 'siteId' | 'matchHash' | 'matchSigner' | 'matchPathGlob'
>;
const ENTRY_OPTIONAL = ['siteId', 'matchSigner', 'matchHash', 'matchPathGlob'] as const;

export function entryFieldsOf(message: contract.CreateSoftwareEntryRequest): EntryFields {
  return {
    name: message.name,
    enabled: message.enabled ?? true,
    ...entryCriteriaOf(message),
    list: listOf(message),
  };
}

export function entryPatchOf(request: contract.UpdateSoftwareEntryRequest): Partial<EntryFields> {
  const cleared = ENTRY_OPTIONAL.filter(
    (field) => request.updateMask.includes(field) && request[field] === undefined,
  );
  return {
    ...(request.name !== undefined && { name: request.name }),
    ...(request.list && { list: listOf(request) }),
    ...(request.enabled !== undefined && { enabled: request.enabled }),
    ...entryCriteriaOf(request),
    ...Object.fromEntries(cleared.map((field) => [field, null])),
  };
}

function entryCriteriaOf(
  message: Partial<Pick<contract.SoftwareEntry, (typeof ENTRY_OPTIONAL)[number]>>,
): Partial<EntryFields> {
  return Object.fromEntries(
    ENTRY_OPTIONAL.filter((field) => message[field] !== undefined).map((field) => [
      field,
      spelt(field, message[field]!),
    ]),
  );
}

function listOf({ list }: { list: string }): SoftwareEntry['list'] {
  return list as SoftwareEntry['list'];
}

function windowOf({ start, end, days, timezone }: contract.TimeWindow): TimeWindow {
  return { start, end, ...(days.length > 0 && { days }), ...(timezone && { timezone }) };
}

/** Ids and digests are stored in lower case. */
function spelt(field: string, value: string | number): string | number {
  return typeof value === 'string' && (field === 'siteId' || field === 'matchHash')
    ? value.toLowerCase()
    : value;
}
