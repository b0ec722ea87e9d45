import type * as contract from '@claviger/contracts/workflow/v1/rules';
import { DEFAULT_PRIORITY, type Rule, type SoftwareEntry } from '@claviger/evaluator';
import type { RevisionRow } from './rules-tables.ts';

export function ruleMessage(row: RevisionRow): contract.PamRule {
  const rule = row.body as Rule;
  const window = rule.timeWindow;
  return {
    id: rule.id,
    name: rule.name,
    verdict: rule.verdict,
    priority: rule.priority ?? DEFAULT_PRIORITY,
    enabled: rule.enabled ?? true,
    siteId: rule.siteId ?? undefined,
    matchSigner: rule.matchSigner ?? undefined,
    matchHash: rule.matchHash ?? undefined,
    matchPathGlob: rule.matchPathGlob ?? undefined,
    matchParentImage: rule.matchParentImage ?? undefined,
    matchUser: rule.matchUser ?? undefined,
    matchAdGroup: rule.matchAdGroup ?? undefined,
    matchToolName: rule.matchToolName ?? undefined,
    matchRiskTier: rule.matchRiskTier ?? undefined,
    timeWindow: window
      ? {
          start: window.start,
          end: window.end,
          days: [...(window.days ?? [])],
          timezone: window.timezone ?? 'UTC',
        }
      : undefined,
    approvalDurationMinutes: rule.approvalDurationMinutes ?? undefined,
    authors: peopleOf(rule.authorIds, row),
    coSigners: peopleOf(rule.coSignerIds ?? [], row),
    ruleSetVersion: `${row.from_version}`,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.changed_at.toISOString(),
    rowVersion: row.row_version,
  };
}

export function entryMessage(row: RevisionRow): contract.SoftwareEntry {
  const entry = row.body as SoftwareEntry;
  return {
    id: entry.id,
    name: entry.name,
    list: entry.list,
    enabled: entry.enabled ?? true,
    siteId: entry.siteId ?? undefined,
    matchSigner: entry.matchSigner ?? undefined,
    matchHash: entry.matchHash ?? undefined,
    matchPathGlob: entry.matchPathGlob ?? undefined,
    authors: peopleOf(entry.authorIds, row),
    coSigners: peopleOf(entry.coSignerIds ?? [], row),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.changed_at.toISOString(),
    rowVersion: row.row_version,
  };
}

function peopleOf(ids: readonly string[], { people }: RevisionRow): contract.RulePerson[] {
  return ids.map((id) => ({ id, name: people[id] ?? '' }));
}
