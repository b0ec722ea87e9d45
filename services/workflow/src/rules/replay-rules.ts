import type * as contract from '@claviger/contracts/workflow/v1/rules';
import { ClavigerError } from '@claviger/errors';
import {
  DEFAULT_WINDOW_DAYS,
  type Facts,
  type ReplayedChange,
  type ReplayReport,
  type StoredDecision,
} from '@claviger/evaluator';
import { type Handler, peopleBehind, permits } from '@claviger/service-kit';
import { transactionTimeMs } from '../database-clock.ts';
import { seesAllRequests } from '../requests/may-see.ts';
import { decidedHistory, type PastDecision } from './decided-history.ts';
import type { RulesDeps } from './deps.ts';
import { draftRuleSet } from './draft-rule-set.ts';

/** Only the newest decisions are replayed; `truncated` reports omitted ones. */
const MAX_DECISIONS = 250_000;
const MAX_MS = 20_000;
const DAY_MS = 24 * 60 * 60_000;

/**
 * Repeats past decisions, newest first, by the current rules with the drafts applied: with lists, shadowing,
 * groups and the time of the decision. Requests for access are included only for actors who may see all of
 * them.
 */
export function replayRules(
  deps: Pick<RulesDeps, 'database' | 'evaluations'>,
  maxMs = MAX_MS,
): Handler<typeof contract.PamRulesService.replayRules> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const kinds = kindsOf(request.kind, seesAllRequests(actor) && actor.siteIds === undefined);
    const { nowMs, draft } = await deps.database.readTenant(tenantId, async (reader) => ({
      nowMs: await transactionTimeMs(reader),
      draft: await draftRuleSet(reader, request, actor, peopleBehind(actor)),
    }));
    const [from, to] = [
      new Date(nowMs - (request.windowDays ?? DEFAULT_WINDOW_DAYS) * DAY_MS),
      new Date(nowMs),
    ];
    const history = decidedHistory(deps.database, tenantId, { from, to, kinds, siteIds: actor.siteIds });
    const { truncated, ...report } = await deps.evaluations.run(
      {
        kind: 'replay',
        options: { samples: request.samples ?? 20, maxDecisions: MAX_DECISIONS },
        ruleSet: await draft.content(),
        pages: storedDecisions(history),
      },
      { call: context, maxMs },
    );
    return {
      ...messageOf(report, (kind) =>
        permits(actor.permissions, kind === 'access' ? 'access-policies.read' : 'devices.read'),
      ),
      success: true,
      from: from.toISOString(),
      to: to.toISOString(),
      truncated,
    };
  };
}

async function* storedDecisions(
  history: AsyncIterable<readonly PastDecision[]>,
): AsyncGenerator<StoredDecision[], void, void> {
  for await (const page of history)
    yield page.map(({ requestId: id, facts, verdict, decidingRuleId, label, decidedAt }) => ({
      id,
      facts,
      verdict,
      decidingRuleId,
      label,
      decidedAt,
    }));
}

function messageOf(
  { ruleSetVersion, total, unchanged, changed, otherRule, unresolved, changes }: ReplayReport,
  mayReadRulesOf: (kind: Facts['kind'] | null) => boolean,
): Omit<contract.ReplayRulesResponse, 'success' | 'from' | 'to' | 'truncated'> {
  const changeMessage = (change: ReplayedChange): contract.ReplayedChange => {
    const mayReadRules = mayReadRulesOf(change.kind);
    return {
      id: change.id,
      label: change.label ?? '',
      kind: change.kind ?? '',
      from: change.from,
      to: change.to,
      because: change.because,
      decidedAt: change.decidedAt?.toISOString(),
      oldRuleId: (mayReadRules && change.oldRuleId) || '',
      newRuleId: (mayReadRules && change.newRule?.id) || '',
      newRuleName: (mayReadRules && change.newRule?.name) || '',
    };
  };
  const groups = changes.map((group) => ({ ...group, samples: group.samples.map(changeMessage) }));
  return { ruleSetVersion, total, unchanged, changed, otherRule, unresolved, changes: groups };
}

function kindsOf(kind: string, seesAccess: boolean): Facts['kind'][] {
  if (kind === 'access' && !seesAccess) {
    throw new ClavigerError('denied', 'You may not see the requests for access of other users.', {
      hint: 'Request the kind elevation or tool, or ask an administrator for the permission requests.read-all.',
    });
  }
  if (kind !== '') return [kind as Facts['kind']];
  return seesAccess ? ['elevation', 'tool', 'access'] : ['elevation', 'tool'];
}
